// Keeps private keys in this browser until their owner has them in a file: each
// encrypted under an AES key of its own that no script can read out.
const store = "key";

function open() {
  return new Promise((done, failed) => {
    const request = indexedDB.open("petschaft", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath: "id" });
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

// act runs one transaction and returns what its request found, once it lasts.
async function act(mode, f) {
  const db = await open();
  try {
    return await new Promise((done, failed) => {
      const transaction = db.transaction(store, mode);
      const request = f(transaction.objectStore(store));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = transaction.onerror = () => failed(transaction.error ?? request.error);
    });
  } finally {
    db.close();
  }
}

// able tells whether this browser can make keys and keep them.
export async function able() {
  try {
    const probe = crypto.randomUUID(); // another tab may be asking, too
    await keep({ id: probe, pkcs8: Uint8Array.of(1) });
    const [byte] = await take(probe);
    await forget(probe);
    return byte === 1;
  } catch {
    return false;
  }
}

// keep stores a key with what else the record holds: its id, its request, whose
// it is and what for.
export async function keep({ pkcs8, ...record }) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const wrapping = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const secret = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, wrapping, pkcs8);
  await act("readwrite", (keys) => keys.put({ ...record, created: new Date(), iv, wrapping, secret }));
}

// note adds to a record what became known.
export async function note(id, more) {
  const record = await find(id);
  if (record) await act("readwrite", (keys) => keys.put({ ...record, ...more }));
}

// take returns the private key of a record, which stays.
export async function take(id) {
  const { iv, wrapping, secret } = await find(id);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, wrapping, secret));
}

export const find = (id) => act("readonly", (keys) => keys.get(id));
export const forget = (id) => act("readwrite", (keys) => keys.delete(id));
export const all = () => act("readonly", (keys) => keys.getAll());
