export { armorKeyring, readKeyring, type Keyring } from './openpgp/keyring.ts';
export {
  clearsign,
  detachSign,
  detachSignBytes,
  generateSigningKey,
  publicKeys,
  readSigningKey,
  type GeneratedKey,
  type SigningKey,
} from './openpgp/sign.ts';
export {
  verifyDetached,
  verifyRelease,
  type Verified,
  type VerifyOptions,
} from './openpgp/verify.ts';
