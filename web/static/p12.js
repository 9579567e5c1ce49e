// Writes PKCS#12 files (RFC 7292), the form in which mail programs take a key
// with its certificates.
import { bmp, explicit, integer, join, nothing, octets, oid, sequence, set, tagged, utf16 } from "./der.js";
import { tripleDES } from "./des.js";

const data = "1.2.840.113549.1.7.1";
const encryptedData = "1.2.840.113549.1.7.6";
const shroudedKey = "1.2.840.113549.1.12.10.1.2";
const certificateBag = "1.2.840.113549.1.12.10.1.3";
const x509 = "1.2.840.113549.1.9.22.1";
const friendlyName = "1.2.840.113549.1.9.20";
const localKeyID = "1.2.840.113549.1.9.21";

// What one round of hashing costs an attacker does not matter for a password of
// 120 random bits; programs expect these numbers, and refuse much larger ones.
const pbkdf2Rounds = 100_000;
const hashRounds = 2048;

const current = { hash: "SHA-256", hashID: "2.16.840.1.101.3.4.2.1", block: 64, encrypt: encryptAES };
const older = { hash: "SHA-1", hashID: "1.3.14.3.2.26", block: 64, encrypt: encryptDES };

// p12 returns the file. certificates begin with that of the key; name is what
// programs show. With forOlder it is protected by 3DES and SHA-1, which all
// programs read.
export async function p12({ pkcs8, certificates, name, password, forOlder }) {
  const suite = forOlder ? older : current;
  const [own, ...above] = certificates;
  const id = new Uint8Array(await crypto.subtle.digest("SHA-1", own));
  const attributes = set(sequence(oid(friendlyName), set(bmp(name))), sequence(oid(localKeyID), set(octets(id))));
  const certs = await encrypted(suite, password, sequence(certBag(own, attributes), ...above.map((c) => certBag(c))));
  const [scheme, shrouded] = await suite.encrypt(pkcs8, password);
  const key = content(data, octets(sequence(bag(shroudedKey, sequence(scheme, octets(shrouded)), attributes))));
  const safe = sequence(certs, key);
  return sequence(integer(3), content(data, octets(safe)), await mac(suite, safe, password));
}

// newPassword is 120 random bits in the letters of Crockford's base 32, in
// groups that can be typed.
export function newPassword() {
  const letters = "0123456789abcdefghjkmnpqrstvwxyz";
  const all = Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => letters[byte & 31]);
  return all.join("").match(/.{4}/g).join("-");
}

const content = (type, value) => sequence(oid(type), explicit(0, value));
const bag = (type, value, attributes) => sequence(oid(type), explicit(0, value), ...(attributes ? [attributes] : []));
const certBag = (der, attributes) => bag(certificateBag, sequence(oid(x509), explicit(0, octets(der))), attributes);

async function encrypted(suite, password, plain) {
  const [scheme, secret] = await suite.encrypt(plain, password);
  return content(encryptedData, sequence(integer(0), sequence(oid(data), scheme, tagged(0x80, secret))));
}

// encryptAES is PBES2 (RFC 8018, 6.2) with PBKDF2, HMAC-SHA-256 and AES-256-CBC.
async function encryptAES(plain, password) {
  const salt = random(16), iv = random(16);
  const secret = await crypto.subtle.importKey("raw", new TextEncoder().encode(password), "PBKDF2", false, ["deriveKey"]);
  const derivation = { name: "PBKDF2", hash: "SHA-256", salt, iterations: pbkdf2Rounds };
  const key = await crypto.subtle.deriveKey(derivation, secret, { name: "AES-CBC", length: 256 }, false, ["encrypt"]);
  const prf = sequence(oid("1.2.840.113549.2.9"), nothing());
  const kdf = sequence(oid("1.2.840.113549.1.5.12"), sequence(octets(salt), integer(pbkdf2Rounds), prf));
  const cipher = sequence(oid("2.16.840.1.101.3.4.1.42"), octets(iv));
  const scheme = sequence(oid("1.2.840.113549.1.5.13"), sequence(kdf, cipher));
  return [scheme, new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv }, key, plain))];
}

// encryptDES is pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292, appendix C).
async function encryptDES(plain, password) {
  const salt = random(8);
  const key = await derive(older, 1, password, salt, 24);
  const iv = await derive(older, 2, password, salt, 8);
  const scheme = sequence(oid("1.2.840.113549.1.12.1.3"), sequence(octets(salt), integer(hashRounds)));
  return [scheme, tripleDES(key, iv, plain)];
}

async function mac(suite, safe, password) {
  const salt = random(8); // some Apple programs refuse longer ones
  const hmac = { name: "HMAC", hash: suite.hash };
  const size = suite === older ? 20 : 32;
  const key = await crypto.subtle.importKey("raw", await derive(suite, 3, password, salt, size), hmac, false, ["sign"]);
  const digest = new Uint8Array(await crypto.subtle.sign(hmac, key, safe));
  return sequence(sequence(sequence(oid(suite.hashID), nothing()), octets(digest)), octets(salt), integer(hashRounds));
}

// derive is the key derivation of RFC 7292, appendix B.2; purpose is 1 for a
// key, 2 for an initial vector, 3 for a MAC.
async function derive(suite, purpose, password, salt, size) {
  const v = suite.block;
  const fill = (bytes) => Uint8Array.from({ length: Math.ceil(bytes.length / v) * v }, (_, i) => bytes[i % bytes.length]);
  const spread = join([fill(salt), fill(utf16(password + "\0"))]);
  const parts = [];
  for (let have = 0; have < size; have += parts.at(-1).length) {
    let a = join([new Uint8Array(v).fill(purpose), spread]);
    for (let i = 0; i < hashRounds; i++) a = new Uint8Array(await crypto.subtle.digest(suite.hash, a));
    parts.push(a);
    for (let at = 0; at < spread.length; at += v) addTo(spread.subarray(at, at + v), a);
  }
  return join(parts).subarray(0, size);
}

// addTo adds a, repeated to the length of block, and 1 to block.
function addTo(block, a) {
  let carry = 1;
  for (let i = block.length - 1; i >= 0; i--) {
    carry += block[i] + a[i % a.length];
    block[i] = carry;
    carry >>>= 8;
  }
}

const random = (n) => crypto.getRandomValues(new Uint8Array(n));
