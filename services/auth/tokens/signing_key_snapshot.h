#ifndef ENTREPOT_SERVICES_AUTH_TOKENS_SIGNING_KEY_SNAPSHOT_H_
#define ENTREPOT_SERVICES_AUTH_TOKENS_SIGNING_KEY_SNAPSHOT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/auth_records.pb.h"
#include "services/token/signing_key.h"
#include "services/token/verification_key.h"

namespace entrepot::auth {

// The content of a SigningKeySetRecord. Immutable.
struct SigningKeySnapshot {
  struct Key {
    token::VerificationKey key;
    absl::Time created_at;
    // nullopt for the key that signs.
    std::optional<absl::Time> verifies_until;
  };
  // Oldest first; the last one signs.
  std::vector<Key> keys;
  token::SigningKey active;
  // The longest lifetime of the tokens that `active` may have signed.
  absl::Duration longest_token_lifetime;

  // kDataLoss: the record is invalid.
  static absl::StatusOr<SigningKeySnapshot> Of(const storage::v1::SigningKeySetRecord& record);
};

// Makes `key` the one that signs. The key that signed before loses its private half, and verifies until
// `old_key_verifies_until`. Keys that no longer need to verify are removed.
void MakeActive(const token::SigningKey& key, absl::Time now, absl::Time old_key_verifies_until,
                storage::v1::SigningKeySetRecord* record);

// The longest lifetime of the tokens that the key that signs may have signed. The record must contain a key.
absl::Duration LongestTokenLifetime(const storage::v1::SigningKeySetRecord& record);
// Notes in the record that the key that signs may sign tokens of this lifetime. The record must contain a key.
void NoteTokenLifetime(absl::Duration lifetime, storage::v1::SigningKeySetRecord* record);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_TOKENS_SIGNING_KEY_SNAPSHOT_H_
