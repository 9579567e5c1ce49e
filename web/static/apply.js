// Makes the key of an application for a certificate in this browser. What is
// sent is the request; the key waits here for its certificate.
import { offer, say } from "./choose.js";
import { able, all, forget, keep } from "./keep.js";
import { make } from "./key.js";

const place = document.querySelector("[data-keys]");
const { account, row, address } = place.dataset;
const usable = await able();
const { form, csr, file, here, chosen, show } = offer(place, usable);
let busy = false;

// waiting are the keys that were made for this row and may not have been used.
const waiting = async () => (await all()).filter((k) => k.account === account && k.row === row && !k.applied);
const same = (key) => key.csr.trim() === csr.value.trim();

// resume looks after a form that came back with the request it was sent with:
// its key is still here, unless it was the key that was wrong.
async function resume() {
  const back = (await waiting()).find(same);
  if (!back) return;
  if (csr.getAttribute("aria-invalid")) {
    await forget(back.id);
    csr.value = "";
  }
  here.checked = true;
  show();
}

async function key(kind) {
  const kept = (await waiting()).find((k) => k.kind === kind);
  if (kept) return kept;
  const made = await make(kind, "");
  await keep({ ...made, account, row, address });
  return made;
}

form.addEventListener("submit", async (event) => {
  if (chosen() !== "browser" || event.submitter?.hasAttribute("data-lang")) return;
  event.preventDefault();
  if (busy) return;
  busy = true;
  say(place, "making");
  try {
    csr.value = (await key(form.querySelector("[name=kind]:checked").value)).csr;
    file.value = "";
    form.submit();
  } catch (error) {
    busy = false;
    say(place, "failed");
    console.warn(error);
  }
});

if (usable) await resume();
window.addEventListener("pageshow", () => {
  busy = false;
  say(place, "");
});
