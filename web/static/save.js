// Puts key, certificate and chain together into a P12 file, in this browser,
// under a password that is made here. Once the file is saved the key is gone
// from the browser's store; this page can save it again while it is open.
import { say } from "./choose.js";
import { unframed } from "./der.js";
import { download } from "./download.js";
import { find, forget, take } from "./keep.js";
import { newPassword, p12 } from "./p12.js";

const place = document.querySelector("[data-p12]");
const { key, chain, name, file } = place.dataset;
const button = place.querySelector("[data-save]");
const shown = document.getElementById("p12-password");
let pkcs8; // once the file was saved

async function save() {
  const answer = await fetch(chain, { credentials: "same-origin", redirect: "error" });
  if (!answer.ok) throw new Error(`the chain answered ${answer.status}`);
  const certificates = unframed(await answer.text());
  pkcs8 ??= await take(key);
  const forOlder = place.querySelector("[name=for]:checked").value === "older";
  download(file, "application/x-pkcs12", await p12({ pkcs8, certificates, name, password: shown.textContent, forOlder }));
  await forget(key);
}

// What is shown once does not come back with the Back button.
window.addEventListener("pagehide", () => {
  shown.textContent = "";
  pkcs8 = undefined;
});
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

const waits = window.indexedDB && window.crypto?.subtle && (await find(key).catch(() => null));
place.querySelector(waits ? "[data-here]" : "[data-none]").hidden = false;
shown.textContent = newPassword();

button.addEventListener("click", async () => {
  button.disabled = true;
  say(place, "saving");
  try {
    await save();
    say(place, "saved");
    button.querySelector("span").textContent = button.dataset.again;
  } catch (error) {
    say(place, "failed");
    console.warn(error);
  }
  button.disabled = false;
});
