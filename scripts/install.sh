#!/bin/sh
# Puts the built binaries, the systemd units and the settings in place, or takes them away.
# With DESTDIR set it only copies, under that root: no users, no systemctl, no need for root.
set -eu

cd "$(dirname "$0")/.."
DESTDIR=${DESTDIR-}
home=/opt/ffmpeg-rtmp
settings=/etc/ffmpeg-rtmp
units=/etc/systemd/system
state=/var/lib/ffmpeg-rtmp
command=/usr/local/bin/ffrtmp

require_root() {
    [ -n "$DESTDIR" ] || [ "$(id -u)" = 0 ] || {
        echo "This changes $home, $settings and $units; type: sudo make $1" >&2
        exit 1
    }
}

systemd_runs() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }

make_user() {
    # NAME. No home and no shell: the services keep their state in $state.
    getent passwd "$1" >/dev/null ||
        useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin "$1"
}

make_users() {
    make_user ffrtmp
    make_user ffrtmp-agent
    # GPU encoders are reached through devices of these groups; not every system has them.
    for group in video render; do
        if getent group "$group" >/dev/null; then usermod --append --groups "$group" ffrtmp-agent; fi
    done
}

copy_settings() {
    # NAME MODE. What a person changed is theirs.
    target=$DESTDIR$settings/$1.env
    if [ -e "$target" ]; then
        echo "Kept $settings/$1.env as it is."
    else
        install -m "$2" "systemd/$1.env" "$target"
    fi
}

install_all() {
    require_root install
    [ -n "$DESTDIR" ] || make_users
    install -d -m 0755 "$DESTDIR$home/bin" "$DESTDIR$units" "$DESTDIR$settings" "$DESTDIR${command%/*}"
    install -m 0755 bin/master bin/agent bin/ffrtmp "$DESTDIR$home/bin/"
    install -m 0644 LICENSE NOTICE.md "$DESTDIR$home/"
    install -m 0644 systemd/ffmpeg-master.service systemd/ffmpeg-agent.service "$DESTDIR$units/"
    copy_settings master 0640
    copy_settings agent 0640
    copy_settings agent-token 0600
    ln -sfn "$home/bin/ffrtmp" "$DESTDIR$command"
    if systemd_runs; then systemctl daemon-reload; fi
    cat <<TEXT
Installed in $home.
On the master:    sudo systemctl enable --now ffmpeg-master
On each worker:   write the master's address into $settings/agent.env, and perhaps a join token into
                  $settings/agent-token.env, then
                  sudo systemctl enable --now ffmpeg-agent
Operators:        sudo usermod --append --groups ffrtmp NAME   (they may use the master from this machine)
TEXT
}

uninstall_all() {
    require_root uninstall
    if systemd_runs; then systemctl disable --now ffmpeg-master ffmpeg-agent 2>/dev/null || true; fi
    rm -f "$DESTDIR$units/ffmpeg-master.service" "$DESTDIR$units/ffmpeg-agent.service" "$DESTDIR$command"
    rm -rf "$DESTDIR$home" "$DESTDIR/var/cache/ffmpeg-rtmp"
    if systemd_runs; then systemctl daemon-reload; fi
    echo "Removed. Kept: state and outputs in $state, settings in $settings, the users ffrtmp and ffrtmp-agent."
    echo "To remove these too: sudo rm -r $state $settings; sudo userdel ffrtmp-agent; sudo userdel ffrtmp"
}

case ${1-} in
    install) install_all ;;
    uninstall) uninstall_all ;;
    *) echo 'usage: scripts/install.sh install|uninstall' >&2; exit 2 ;;
esac
