// Makes keys and the requests that certificates are asked for with. A private
// key leaves these functions as PKCS#8 (RFC 5958), for the file of its owner.
import { bits, explicit, integer, nothing, oid, pem, sequence, set, utf8 } from "./der.js";

const kinds = {
  rsa: {
    algorithm: { name: "RSASSA-PKCS1-v1_5", modulusLength: 3072, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
    signing: { name: "RSASSA-PKCS1-v1_5" },
    signature: (raw) => raw,
    named: () => sequence(oid("1.2.840.113549.1.1.11"), nothing()), // sha256WithRSAEncryption
  },
  ec: {
    algorithm: { name: "ECDSA", namedCurve: "P-256" },
    signing: { name: "ECDSA", hash: "SHA-256" },
    signature: (raw) => sequence(integer(raw.subarray(0, 32)), integer(raw.subarray(32))),
    named: () => sequence(oid("1.2.840.10045.4.3.2")), // ecdsa-with-SHA256
  },
};

// make returns a new key of a kind, "rsa" or "ec": its private part, a request
// (RFC 2986) with name as its only one ("" for none), and the SHA-256 of the
// public part, by which everybody calls it.
export async function make(kind, name) {
  const { algorithm, signing, signature, named } = kinds[kind];
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const exported = async (format, key) => new Uint8Array(await crypto.subtle.exportKey(format, key));
  const spki = await exported("spki", pair.publicKey);
  const common = name ? [set(sequence(oid("2.5.4.3"), utf8(name)))] : [];
  const asked = sequence(integer(0), sequence(...common), spki, explicit(0));
  const signed = signature(new Uint8Array(await crypto.subtle.sign(signing, pair.privateKey, asked)));
  return {
    id: hex(new Uint8Array(await crypto.subtle.digest("SHA-256", spki))),
    kind,
    pkcs8: await exported("pkcs8", pair.privateKey),
    csr: pem("CERTIFICATE REQUEST", sequence(asked, named(), bits(signed))),
  };
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
