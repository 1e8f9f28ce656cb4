// The page follows the files: a long question to /changes ends when one is saved. Without this script every
// button still works, by loading the page.
"use strict";

const frame = document.getElementById("frame");
const panel = document.getElementById("panel");
const look = document.getElementById("look");
const said = document.getElementById("said");

if (frame) begin();

function begin() {
  document.documentElement.classList.add("live");
  look.addEventListener("change", show);
  look.addEventListener("submit", (event) => { event.preventDefault(); show(); });
  panel.addEventListener("change", (event) => { if (event.target.id === "variant") chooseVariant(event.target.value); });
  panel.addEventListener("click", (event) => { if (event.target.dataset.find !== undefined) find(event.target.dataset.find); });
  panel.addEventListener("submit", act);
  frame.addEventListener("load", () => { frame.contentDocument?.addEventListener("keydown", toPanel); });
  follow(document.body.dataset.stamp);
}

function query() {
  return new URLSearchParams(new FormData(look)).toString();
}

function address(part) {
  return `${location.pathname}${part}?${query()}`;
}

async function follow(stamp) {
  for (;;) {
    try {
      const answer = await (await fetch(`/changes?seen=${stamp}`)).json();
      if (said.dataset.lost) { said.textContent = ""; delete said.dataset.lost; }
      if (answer.stamp === stamp) continue;
      stamp = answer.stamp;
      await repaint();
    } catch (fault) {
      said.textContent = "The studio doesn't answer. Is it still running?";
      said.dataset.lost = "yes";
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

// The frame's document is exchanged in place, so that nothing flashes and the place in it stays.
async function repaint() {
  const answer = await fetch(address("frame"));
  const text = await answer.text();
  const view = frame.contentWindow;
  const [x, y] = [view.scrollX, view.scrollY];
  frame.contentDocument.documentElement.innerHTML = text;
  view.scrollTo(x, y);
  frame.dataset.painted = String(Number(frame.dataset.painted || 0) + 1);
  await refreshPanel();
}

async function refreshPanel() {
  const [answer, top, key] = [await fetch(address("panel")), panel.scrollTop, document.activeElement?.dataset?.key];
  const text = await answer.text();
  const open = new Set([...panel.querySelectorAll("details[open]")].map(nameOf));
  const typed = new Map([...fields()].filter((field) => field.value !== field.defaultValue).map((field) => [fieldOf(field), field.value]));
  panel.innerHTML = text;
  panel.querySelectorAll("details").forEach((part) => { part.open = open.has(nameOf(part)); });
  fields().forEach((field) => { if (typed.has(fieldOf(field))) field.value = typed.get(fieldOf(field)); });
  panel.scrollTop = top;
  if (key) refocus(key);
}

function nameOf(details) {
  return details.dataset.key;
}

// What somebody is typing stays, whatever else changes the file.
function fields() {
  return panel.querySelectorAll(".edit :is(input:not([type=hidden]), textarea)");
}

function fieldOf(field) {
  return `${nameOf(field.closest("details"))} ${field.name}`;
}

// The button that was pressed has moved with its part; where it can go no further, its neighbour takes over.
function refocus(key) {
  const same = [...panel.querySelectorAll("[data-key]")].find((button) => button.dataset.key === key);
  const near = same?.disabled ? [...same.closest(".acts").querySelectorAll("button")].find((b) => !b.disabled) : same;
  (near || panel.querySelector("[data-key=undo]"))?.focus();
}

function show() {
  history.replaceState(null, "", `${location.pathname}?${query()}`);
  const data = new FormData(look);
  frame.parentElement.dataset.view = data.get("view");
  frame.parentElement.dataset.scheme = data.get("scheme");
  const y = frame.contentWindow?.scrollY || 0;
  frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, y), { once: true });
  frame.src = address("frame");
  refreshPanel();
}

function chooseVariant(name) {
  look.elements.variant.value = name;
  look.elements.reader.value = "";
  show();
}

// Scrolls the preview to the innermost element that starts with these words.
function find(words) {
  const bare = (text) => text.replace(/\s+/g, "");
  const wanted = bare(words.replace(/…$/, "")).slice(0, 40);
  const found = [...frame.contentDocument.body.querySelectorAll("*")]
    .filter((element) => bare(element.textContent).startsWith(wanted) && element.offsetParent)
    .pop();
  found?.scrollIntoView({ block: "center", behavior: "instant" });
}

async function act(event) {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  const button = form.querySelector("button");
  said.textContent = button.dataset.busy || "";
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  said.textContent = "";
  if (!answer.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    said.textContent = page.querySelector("main li")?.textContent.trim() || "That can't be done.";
    setTimeout(() => { said.textContent = ""; }, 6000);
  }
  const edit = form.closest("details.edit");
  if (edit && answer.ok) { form.reset(); edit.open = false; edit.querySelector("summary").focus(); }
  if (form.action.includes("/links") || !answer.ok) refreshPanel();
}

// Escape leads from the preview back to the panel, for those without a mouse.
function toPanel(event) {
  if (event.key === "Escape") panel.querySelector("button")?.focus();
}
