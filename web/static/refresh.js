// Replaces each element with data-refresh="URL" by the HTML found there, every
// two seconds, or every so many as data-every says, until what comes no longer
// asks for more. A hidden page rests; a lost connection or an answer that is no
// fragment leaves what is shown, and so does 204, which says that nothing is new.
// One with data-over says that the page around it is no longer true: then all of
// the page is replaced by what its address answers now, without what it said of
// the step before, and its words are read out.
const pause = 2000;
// Waiting for people may take days: a page that nobody touches rests, so that the
// session of who went away ends.
const attention = 10 * 60 * 1000;
let touched = Date.now();
const touch = () => (touched = Date.now());
for (const act of ["pointerdown", "pointermove", "keydown", "focus", "scroll"]) window.addEventListener(act, touch, { passive: true });
document.addEventListener("visibilitychange", touch);
const said = document.createElement("div"); // there before it speaks, as screen readers want it
said.className = "vh";
said.setAttribute("role", "status");

function focusPath(root) {
  const at = document.activeElement;
  return at && at.id && root.contains(at) ? at.id : null;
}

function focusBack(id) {
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
}

const scripts = (root) => [...root.querySelectorAll("script[src]")].map((s) => s.getAttribute("src"));

// renew shows the page as it is now, where it stands: menu, head, steps, buttons.
// What leads elsewhere by now, or needs a script of its own, is loaded instead.
async function renew(fragment) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" }).catch(() => null);
  const fresh = answer?.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  const here = scripts(document);
  if (!fresh?.querySelector("main") || scripts(fresh).some((s) => !here.includes(s))) {
    location.reload();
    return;
  }
  const focused = focusPath(document.body);
  for (const part of ["main", ".top nav ul"]) {
    const now = fresh.querySelector(part);
    if (now) document.querySelector(part)?.replaceChildren(...now.childNodes);
  }
  document.title = fresh.title;
  focusBack(focused);
  said.textContent = fragment.textContent.replace(/\s+/g, " ").trim();
  document.querySelectorAll("main [data-refresh]").forEach(watch);
}

async function refresh(element) {
  const answer = await fetch(element.dataset.refresh, {
    headers: { Accept: "text/html" },
    credentials: "same-origin",
    redirect: "manual",
  });
  const over = answer.type === "opaqueredirect"; // signed out meanwhile
  if (over || (answer.status >= 400 && answer.status < 500)) return null;
  if (!answer.ok || answer.status === 204) return element;
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = parsed.body.firstElementChild;
  if (!fresh || parsed.body.childElementCount !== 1) return null;
  if (fresh.hasAttribute("data-over")) {
    await renew(fresh);
    return null;
  }
  const focused = focusPath(element);
  element.replaceWith(fresh);
  focusBack(focused);
  return fresh.hasAttribute("data-refresh") ? fresh : null;
}

function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((go) => document.addEventListener("visibilitychange", go, { once: true }));
}

async function watch(element) {
  while (element) {
    const every = Number(element.dataset.every) * 1000;
    await new Promise((go) => setTimeout(go, every || pause));
    await visible();
    if (!element.isConnected) return;
    if (every && Date.now() - touched > attention) continue;
    element = await refresh(element).catch(() => element);
  }
}

document.body.append(said);
document.querySelectorAll("[data-refresh]").forEach(watch);
