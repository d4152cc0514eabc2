// What the libraries leave to us: times as the reader's clock has them, marked rows, and when to look anew.
// A page's live parts carry hx-trigger="farm from:body": they hear of news at most once a second, and
// always of the last one. A page about one thing says so in data-about, and hears of that only.
"use strict";
(() => {
  const PAUSE = 1000;
  const SOON = 100;
  const body = document.body;
  const note = document.getElementById("connection");

  const sameDay = (a, b) => a.toDateString() === b.toDateString();
  const localTimes = (root) => {
    for (const element of root.querySelectorAll("time[datetime]")) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const clock = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
      const day = at.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
      element.textContent = sameDay(at, new Date()) ? clock : `${day}, ${clock}`;
      element.title = `${day}, ${clock} (${element.dateTime})`;
    }
  };
  localTimes(document);
  body.addEventListener("htmx:afterSwap", () => localTimes(document));

  // What a person has marked, opened or typed is theirs: new content leaves it alone.
  const THEIRS = ["checked", "open", "value", "selected"];
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
    !(THEIRS.includes(name) && element.matches("input, select, option, textarea, details"));

  const marked = (form) => form.querySelectorAll("input[name=job_id]:checked").length;
  body.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-marks]");
    if (!form) return;
    if (event.target.matches("[data-all]")) {
      for (const box of form.querySelectorAll("input[name=job_id]")) box.checked = event.target.checked;
    }
    const count = form.querySelector("[data-count]");
    if (count) count.textContent = marked(form) ? `${marked(form)} marked` : "";
  });

  if (!body.hasAttribute("sse-connect")) return;
  const about = body.dataset.about;
  let told = 0;
  let waiting = null;
  let missed = false;
  const tell = () => {
    waiting = null;
    missed = document.hidden;
    if (missed) return;
    told = Date.now();
    htmx.trigger(body, "farm");
  };
  const news = () => {
    if (waiting === null) waiting = setTimeout(tell, Math.max(SOON, told + PAUSE - Date.now()));
  };
  const heard = (event) => {
    if (!about) return news();
    const said = JSON.parse(event.data);
    if (said.job_id === about || said.node_id === about) news();
  };
  document.addEventListener("visibilitychange", () => missed && !document.hidden && news());

  let opened = false;
  body.addEventListener("htmx:sseOpen", (event) => {
    for (const name of body.dataset.events.split(" ")) event.detail.source.addEventListener(name, heard);
    note.textContent = "";
    body.dataset.live = "yes";
    if (opened) news(); // what was said meanwhile was not heard
    opened = true;
  });
  body.addEventListener("htmx:sseError", () => {
    note.textContent = note.dataset.lost;
    body.dataset.live = "no";
  });
})();
