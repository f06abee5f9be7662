package gormstore

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// SaveToken keeps an issued token.
func (s *Store) SaveToken(ctx context.Context, t store.Token) error {
	return s.writer.writeFirst(ctx, "save a token", func(u *unit) error {
		row := &tokenRow{Hash: t.Hash, UserID: t.UserID, Payload: t.Payload, Expires: t.Expires.UnixMicro()}
		return u.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(row).Error
	})
}

// Token finds a token.
func (s *Store) Token(ctx context.Context, hash []byte) (store.Token, error) {
	var row tokenRow
	if err := tokens.take(s.reading(ctx), &row, "hash = ?", hash); err != nil {
		return store.Token{}, translate("read a token", err)
	}
	return store.Token{Hash: row.Hash, UserID: row.UserID, Payload: row.Payload, Expires: instant(row.Expires)}, nil
}

// RevokeToken forgets a token.
func (s *Store) RevokeToken(ctx context.Context, hash []byte) error {
	return s.writer.writeFirst(ctx, "revoke a token", func(u *unit) error {
		return u.db.Where("hash = ?", hash).Delete(&tokenRow{}).Error
	})
}

// PurgeExpired forgets tokens and idempotency keys that have expired.
func (s *Store) PurgeExpired(ctx context.Context, now time.Time) error {
	return s.writer.write(ctx, "purge what has expired", func(u *unit) error {
		if err := u.db.Where("expires <= ?", now.UnixMicro()).Delete(&tokenRow{}).Error; err != nil {
			return err
		}
		return u.db.Where("expires <= ?", now.UnixMicro()).Delete(&idempotencyRow{}).Error
	})
}
