#!/bin/sh
# Validates the whole workflow against a running master, with curl in the part of a worker.
#
#   ./test_distributed.sh [MASTER_URL]     (default: https://localhost:8080)
#
# It may run again and again, also against a master in use: its node takes only the job
# that carries its label, and is removed at the end.
set -eu

MASTER=${1:-${FFRTMP_MASTER:-https://localhost:8080}}
MASTER=${MASTER%/}
NODE_ID=
JOB_ID=

for tool in curl jq; do
    command -v "$tool" >/dev/null || { echo "test_distributed.sh: $tool is missing; install it with: sudo apt-get install -y $tool" >&2; exit 1; }
done

fail() {
    echo "   ✗ $1" >&2
    exit 1
}

# call METHOD PATH [BODY]: prints the answer; fails, with the master's reason, unless it is a 2xx.
call() {
    if [ -n "${3:-}" ]; then
        set -- "$1" "$2" -H "Content-Type: application/json" -d "$3"
    fi
    method=$1 path=$2
    shift 2
    # The token, if one is needed, goes in by a pipe: an argument could be seen by everybody.
    answer=$(printf '%s' "${FFRTMP_TOKEN:+header = \"Authorization: Bearer $FFRTMP_TOKEN\"}" |
        curl -sk --max-time 30 --config - -w '\n%{http_code}' -X "$method" "$@" "$MASTER$path") ||
        fail "no answer from $MASTER; is the master running? (./bin/master --port 8080)"
    status=${answer##*
}
    body=${answer%
*}
    case $status in
        2*) printf '%s' "$body" ;;
        *) fail "$method $path answered $status: $(printf '%s' "$body" | jq -r '.detail // .' 2>/dev/null || printf '%s' "$body")" ;;
    esac
}

clean_up() {
    if [ -n "$JOB_ID" ]; then # no effect on a finished job; another one nobody could ever run
        (call POST "/jobs/$JOB_ID/cancel") >/dev/null 2>&1 || true
    fi
    if [ -n "$NODE_ID" ]; then
        (call DELETE "/nodes/$NODE_ID") >/dev/null 2>&1 || true
    fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

echo "=================================="
echo "Distributed Compute Integration Test"
echo "=================================="
echo

echo "1. Checking master health..."
health=$(call GET /health)
[ "$health" = '{"status":"healthy"}' ] || fail "unexpected health: $health"
echo "   ✓ Master is healthy"
echo

echo "2. Registering test node..."
LABEL="run-$$-$(date +%s)"
node=$(call POST /nodes/register "{
    \"address\": \"integration-test\",
    \"type\": \"desktop\",
    \"cpu_threads\": 8,
    \"cpu_model\": \"Integration Test CPU\",
    \"has_gpu\": false,
    \"ram_bytes\": 16777216000,
    \"labels\": {\"integration-test\": \"$LABEL\"},
    \"run_unlabeled\": false
}")
NODE_ID=$(printf '%s' "$node" | jq -re .id) || fail "the answer has no id: $node"
echo "   ✓ Node registered with ID: $NODE_ID"
echo

echo "3. Listing registered nodes..."
nodes=$(call GET /nodes)
printf '%s' "$nodes" | jq -e --arg id "$NODE_ID" '.nodes | any(.id == $id)' >/dev/null || fail "the node is not listed"
count=$(printf '%s' "$nodes" | jq -re .count)
if [ "$count" -eq 1 ]; then
    echo "   ✓ Found 1 registered node"
else
    echo "   ✓ Found $count registered nodes"
fi
echo

echo "4. Creating test job..."
job=$(call POST /jobs "{
    \"scenario\": \"test-1080p\",
    \"confidence\": \"auto\",
    \"parameters\": {\"duration\": 2, \"bitrate\": \"5000k\"},
    \"constraints\": {\"labels\": {\"integration-test\": \"$LABEL\"}}
}")
JOB_ID=$(printf '%s' "$job" | jq -re .id) || fail "the answer has no id: $job"
[ "$(printf '%s' "$job" | jq -r .status)" = pending ] || fail "the new job is not pending: $job"
echo "   ✓ Job created with ID: $JOB_ID"
echo

echo "5. Getting next job for node..."
next=$(call GET "/jobs/next?node_id=$NODE_ID")
[ "$(printf '%s' "$next" | jq -r .job.id)" = "$JOB_ID" ] || fail "expected job $JOB_ID, got: $next"
echo "   ✓ Job assigned to node"
echo

echo "6. Sending job results..."
call POST /results "{
    \"job_id\": \"$JOB_ID\",
    \"node_id\": \"$NODE_ID\",
    \"status\": \"completed\",
    \"metrics\": {\"frames\": 60, \"duration\": 2.0}
}" >/dev/null
status=$(call GET "/jobs/$JOB_ID" | jq -r .status)
[ "$status" = completed ] || fail "the job is $status, not completed"
echo "   ✓ Results sent successfully"
echo

echo "7. Checking for additional jobs..."
more=$(call GET "/jobs/next?node_id=$NODE_ID")
[ "$(printf '%s' "$more" | jq -r .job)" = null ] || fail "unexpected job: $more"
echo "   ✓ No more jobs available (as expected)"
echo

echo "=================================="
echo "✓ All integration tests passed!"
echo "=================================="
