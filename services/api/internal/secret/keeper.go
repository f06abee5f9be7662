package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// version leads every sealed text, so that another cipher can follow.
const version = 1

// Keeper seals, opens and fingerprints with keys that it derives from one master key.
type Keeper struct {
	aead        cipher.AEAD
	fingerprint []byte
}

// New derives the keys.
func New(master []byte) (*Keeper, error) {
	sealing, err := hkdf.Key(sha256.New, master, nil, "coffer/secrets", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive sealing key: %w", err)
	}
	fingerprint, err := hkdf.Key(sha256.New, master, nil, "coffer/fingerprints", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive fingerprint key: %w", err)
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, fmt.Errorf("use sealing key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("use sealing key: %w", err)
	}
	return &Keeper{aead: aead, fingerprint: fingerprint}, nil
}

// Seal makes a text unreadable (AES-256-GCM). It opens again only for the same instance.
func (k *Keeper) Seal(plain []byte, instanceID string) []byte {
	return k.aead.Seal([]byte{version}, nil, plain, []byte(instanceID)) //nolint:gosec // it draws its nonce itself
}

// Open is the reverse of Seal. It fails for a text that was changed, or sealed for another instance or under another key.
func (k *Keeper) Open(sealed []byte, instanceID string) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != version {
		return nil, errors.New("open secret: not a sealed text of a known version")
	}
	plain, err := k.aead.Open(nil, nil, sealed[1:], []byte(instanceID))
	if err != nil {
		return nil, fmt.Errorf("open secret: %w", err)
	}
	return plain, nil
}

// Fingerprint is the same for the same parts in the same order, and different for others. Without the master key it
// cannot be tried against guesses, which a plain hash of a request with a weak password could be.
func (k *Keeper) Fingerprint(parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, k.fingerprint)
	for _, part := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write(part)
	}
	return mac.Sum(nil)
}
