// Shows what is said where the key of an application or a certificate waits in
// this browser, and lists all keys of the person that do.
import { all, find, forget, note } from "./keep.js";

async function show(element) {
  const id = element.dataset.waiting;
  if (!id || element.dataset.seen) return;
  element.dataset.seen = "true";
  if (!(await find(id))) return;
  await note(id, { applied: true });
  if ("go" in element.dataset) {
    location.replace(element.querySelector("a").href);
    return;
  }
  element.hidden = false;
}

async function list(template) {
  const { account, words, path } = template.dataset;
  const day = new Intl.DateTimeFormat([`${document.documentElement.lang}-150`, document.documentElement.lang], { dateStyle: "long" }); // as Europe writes it
  for (const key of (await all()).filter((k) => k.account === account)) {
    const item = template.content.firstElementChild.cloneNode(true);
    item.querySelector("[data-about]").textContent = words.replace("{address}", key.address).replace("{date}", day.format(key.created));
    const link = item.querySelector("a"); // not where nobody is signed in
    if (link) link.href = `${path}${key.id}?row=${key.row}`;
    item.querySelector("[data-forget]").value = key.id;
    item.hidden = false;
    template.before(item);
  }
}

function showAll() {
  for (const element of document.querySelectorAll("[data-waiting]")) show(element);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-forget]");
  if (!button) return;
  await forget(button.value);
  const element = button.closest("[data-waiting]");
  element.replaceWith(element.querySelector("template").content);
});

if (window.indexedDB) {
  showAll();
  new MutationObserver(showAll).observe(document.querySelector("main"), { childList: true, subtree: true });
  document.querySelectorAll("template[data-account]").forEach(list);
}
