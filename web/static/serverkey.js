// Makes the key of a server's certificate in this browser, saves it as a file of
// the person's, and puts the request for it into the form. The key is kept
// nowhere else and never sent.
import { offer, say } from "./choose.js";
import { pem } from "./der.js";
import { download } from "./download.js";
import { make } from "./key.js";

const place = document.querySelector("[data-keys]");
const { form, csr, file, chosen } = offer(place, Boolean(window.crypto?.subtle));
const name = form.querySelector("[name=server]");
const button = place.querySelector("[data-make]");
let saved; // the key made here, once it is saved

// host is the name as certificates spell it, "" for something else.
function host() {
  const [, wildcard, rest] = name.value.trim().match(/^(\*\.)?(.*)$/);
  try {
    return (wildcard ?? "") + new URL(`https://${rest}`).hostname;
  } catch {
    return "";
  }
}

function save() {
  download(saved.file, "application/x-pem-file", pem("PRIVATE KEY", saved.pkcs8));
  for (const words of place.querySelectorAll("[data-file]")) words.textContent = saved.file;
  say(place, "saved");
}

button.addEventListener("click", async () => {
  const kind = form.querySelector("[name=kind]:checked").value;
  const common = host();
  if (!common) {
    say(place, "nameless");
    name.focus();
    return;
  }
  if (saved?.common === common && saved.kind === kind) return save(); // once more
  button.disabled = true;
  say(place, "making");
  try {
    saved = { ...(await make(kind, common)), common, file: `${common.replace("*", "wildcard")}.key.pem` };
    csr.value = saved.csr;
    file.value = "";
    save();
  } catch (error) {
    say(place, "failed");
    console.warn(error);
  }
  button.disabled = false;
});

form.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("data-lang")) return;
  if (chosen() === "same") csr.value = "";
  if (chosen() !== "browser") return;
  if (saved) {
    csr.value = saved.csr;
    return;
  }
  event.preventDefault();
  say(place, "missing");
  button.focus();
});
