// Replaces each element with data-refresh="URL" by the HTML found there, every
// two seconds, until what comes no longer asks for more. A hidden page rests; a
// lost connection or an answer that is no fragment leaves what is shown. One with
// data-over says that the page itself has the result, which is loaded then.
const pause = 2000;

function focusPath(root) {
  const at = document.activeElement;
  return at && at.id && root.contains(at) ? at.id : null;
}

async function refresh(element) {
  const answer = await fetch(element.dataset.refresh, {
    headers: { Accept: "text/html" },
    credentials: "same-origin",
    redirect: "manual",
  });
  const over = answer.type === "opaqueredirect"; // signed out meanwhile
  if (over || (answer.status >= 400 && answer.status < 500)) return null;
  if (!answer.ok) return element;
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = parsed.body.firstElementChild;
  if (!fresh || parsed.body.childElementCount !== 1) return null;
  if (fresh.hasAttribute("data-over")) {
    location.reload();
    return null;
  }
  const focused = focusPath(element);
  element.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return fresh.hasAttribute("data-refresh") ? fresh : null;
}

function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((go) => document.addEventListener("visibilitychange", go, { once: true }));
}

async function watch(element) {
  while (element) {
    await new Promise((go) => setTimeout(go, pause));
    await visible();
    if (!element.isConnected) return;
    element = await refresh(element).catch(() => element);
  }
}

document.querySelectorAll("[data-refresh]").forEach(watch);
