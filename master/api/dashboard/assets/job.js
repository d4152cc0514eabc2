// The page of a job: its log as it is written, a command to copy, and the output over its source.
"use strict";
(() => {
  // What we have filled is not taken back by what the server draws anew.
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) =>
    !(old instanceof Element && old.hasAttribute("data-keep"));

  const log = (root) => {
    const box = root.querySelector(".log");
    const state = root.querySelector("[data-state]");
    const newest = root.querySelector("[data-newest]");
    const most = Number(root.dataset.most);
    let sticks = true;
    const toEnd = () => { box.scrollTop = box.scrollHeight; };
    const atEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    box.addEventListener("scroll", () => {
      sticks = atEnd();
      newest.hidden = sticks;
    });
    newest.addEventListener("click", () => { toEnd(); box.focus(); });
    toEnd();
    if (!root.dataset.follow) return;

    let waiting = [];
    let fresh = true;
    const draw = () => {
      if (fresh) box.textContent = ""; // the stream begins with what was drawn already
      fresh = false;
      const lines = waiting.slice(-most).map((text) => {
        const line = document.createElement("span");
        line.textContent = `${text}\n`;
        return line;
      });
      waiting = [];
      box.append(...lines);
      const nothing = root.querySelector("[data-nothing]");
      if (nothing) nothing.remove();
      if (sticks) {
        while (box.childElementCount > most) box.firstElementChild.remove();
        toEnd();
      } else {
        // Who reads older lines keeps his place: the text above him goes only when it is far too much.
        while (box.childElementCount > 2 * most) box.firstElementChild.remove();
      }
    };
    const source = new EventSource(root.dataset.follow);
    source.addEventListener("open", () => { state.textContent = "live"; });
    source.addEventListener("line", (event) => {
      if (waiting.length === 0) setTimeout(draw, 50);
      waiting.push(JSON.parse(event.data).line);
      if (waiting.length > 2 * most) waiting.splice(0, most);
    });
    source.addEventListener("end", () => {
      source.close();
      state.textContent = "complete";
      htmx.trigger(document.body, "farm");
    });
    source.addEventListener("error", () => {
      state.textContent = source.readyState === EventSource.CLOSED ? "not live: reload the page" : "connecting again…";
    });
  };

  const clock = (seconds) => {
    const minutes = Math.floor(seconds / 60);
    return `${minutes}:${(seconds - 60 * minutes).toFixed(2).padStart(5, "0")}`;
  };

  const player = (root) => {
    const output = root.querySelector("video.output");
    const source = root.querySelector("video.source");
    const play = root.querySelector("[data-play]");
    const seek = root.querySelector("[data-seek]");
    const wipe = root.querySelector("[data-wipe]");
    const told = root.querySelector("[data-clock]");
    const trouble = root.querySelector("[data-trouble]");
    const videos = source ? [source, output] : [output];
    for (const video of videos) {
      video.controls = false;
      video.addEventListener("error", () => {
        trouble.textContent = `This browser cannot play the ${video.className}. Its file can be had below.`;
      });
    }
    root.classList.add("ready");
    root.querySelector(".controls").hidden = false;

    // The output leads. A source that is a little off runs faster or slower; one that is far off jumps.
    const follow = () => {
      if (!source || source.readyState < 1) return;
      const at = Math.min(output.currentTime, source.duration || output.currentTime);
      const off = at - source.currentTime;
      if (Math.abs(off) > (output.paused ? 0.001 : 0.15)) source.currentTime = at;
      source.playbackRate = output.paused ? 1 : Math.min(1.1, Math.max(0.9, 1 + off));
    };
    const show = () => {
      told.textContent = clock(output.currentTime);
      if (document.activeElement !== seek || !output.paused) seek.value = output.currentTime;
      seek.setAttribute("aria-valuetext", clock(output.currentTime));
    };
    const run = () => {
      show();
      follow();
      if (!output.paused) requestAnimationFrame(run);
    };
    const length = () => {
      if (Number.isFinite(output.duration)) seek.max = output.duration;
      if (output.videoWidth) root.style.setProperty("--shape", `${output.videoWidth} / ${output.videoHeight}`);
      show();
    };
    output.addEventListener("loadedmetadata", length);
    output.addEventListener("durationchange", length);
    if (output.readyState > 0) length();
    play.addEventListener("click", () => (output.paused ? output.play() : output.pause()));
    output.addEventListener("play", () => {
      play.textContent = "Pause";
      play.setAttribute("aria-pressed", "true");
      if (source) source.play().catch(() => {});
      requestAnimationFrame(run);
    });
    const still = () => {
      play.textContent = "Play";
      play.setAttribute("aria-pressed", "false");
      if (source) source.pause();
      run();
    };
    output.addEventListener("pause", still);
    output.addEventListener("ended", still);
    output.addEventListener("seeked", run);
    seek.addEventListener("input", () => { output.currentTime = Number(seek.value); });
    if (!wipe) return;
    root.querySelector(".divider").hidden = false;
    const move = () => {
      root.style.setProperty("--wipe", `${wipe.value}%`);
      wipe.setAttribute("aria-valuetext", `${wipe.value} % source`);
    };
    wipe.addEventListener("input", move);
    move();
  };

  const copy = (button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy);
      const note = document.querySelector("[data-copied]");
      try {
        await navigator.clipboard.writeText(text.textContent);
        note.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        note.textContent = "Selected: copy it with the keyboard";
      }
    });
  };

  const once = (root, selector, begin) => {
    for (const element of root.querySelectorAll(selector)) {
      if (element.dataset.begun) continue;
      element.dataset.begun = "yes";
      begin(element);
    }
  };
  const all = () => {
    once(document, "#log", log);
    once(document, "[data-player]", player);
    once(document, "[data-copy]", copy);
  };
  all();
  document.body.addEventListener("htmx:afterSwap", all);
})();
