#include "services/auth/tokens/signing_key_snapshot.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "services/core/text/strict_json.h"
#include "services/core/time/proto_time.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using storage::v1::SigningKeyRecord;
using storage::v1::SigningKeySetRecord;

absl::Status Corrupt(absl::string_view problem) {
  return absl::DataLossError(absl::StrCat("the record of the signing keys cannot be used: ", problem));
}

absl::StatusOr<token::VerificationKey> ReadPublicKey(const SigningKeyRecord& record) {
  const absl::StatusOr<boost::json::value> jwk = ParseStrictJson(record.public_jwk());
  if (!jwk.ok()) return Corrupt(jwk.status().message());
  if (!jwk->is_object()) return Corrupt("a public key is not an object");
  absl::StatusOr<token::VerificationKey> key = token::VerificationKey::FromJwk(jwk->get_object());
  if (!key.ok()) return Corrupt(key.status().message());
  return key;
}

absl::StatusOr<SigningKeySnapshot::Key> ReadKey(const SigningKeyRecord& record) {
  ASSIGN_OR_RETURN(token::VerificationKey key, ReadPublicKey(record));
  std::optional<absl::Time> verifies_until;
  if (record.has_verifies_until()) verifies_until = FromTimestamp(record.verifies_until());
  return SigningKeySnapshot::Key{
      .key = std::move(key), .created_at = FromTimestamp(record.created_at()), .verifies_until = verifies_until};
}

}  // namespace

absl::StatusOr<SigningKeySnapshot> SigningKeySnapshot::Of(const SigningKeySetRecord& record) {
  if (record.keys().empty()) return Corrupt("it contains no key");
  std::vector<Key> keys;
  for (const SigningKeyRecord& key_record : record.keys()) {
    ASSIGN_OR_RETURN(Key key, ReadKey(key_record));
    keys.push_back(std::move(key));
  }
  absl::StatusOr<token::SigningKey> active =
      token::SigningKey::FromPem(record.keys(record.keys_size() - 1).private_key_pem());
  if (!active.ok()) return Corrupt(active.status().message());
  if (active->kid() != keys.back().key.kid()) return Corrupt("the private key is another than the public one");
  return SigningKeySnapshot{
      .keys = std::move(keys), .active = *std::move(active), .longest_token_lifetime = LongestTokenLifetime(record)};
}

void MakeActive(const token::SigningKey& key, absl::Time now, absl::Time old_key_verifies_until,
                SigningKeySetRecord* record) {
  auto& keys = *record->mutable_keys();
  for (SigningKeyRecord& old : keys) {
    old.clear_private_key_pem();
    if (!old.has_verifies_until()) *old.mutable_verifies_until() = ToTimestamp(old_key_verifies_until);
  }
  keys.erase(std::remove_if(keys.begin(), keys.end(),
                            [&](const SigningKeyRecord& old) { return FromTimestamp(old.verifies_until()) <= now; }),
             keys.end());
  SigningKeyRecord& added = *keys.Add();
  added.set_kid(key.kid());
  *added.mutable_created_at() = ToTimestamp(now);
  added.set_public_jwk(boost::json::serialize(key.verification_key().ToJwk()));
  added.set_private_key_pem(key.ToPem());
}

absl::Duration LongestTokenLifetime(const SigningKeySetRecord& record) {
  return absl::Seconds(record.keys(record.keys_size() - 1).longest_token_lifetime_seconds());
}

void NoteTokenLifetime(absl::Duration lifetime, SigningKeySetRecord* record) {
  const absl::Duration longest = std::max(LongestTokenLifetime(*record), absl::Ceil(lifetime, absl::Seconds(1)));
  record->mutable_keys()->rbegin()->set_longest_token_lifetime_seconds(
      static_cast<uint32_t>(absl::ToInt64Seconds(longest)));
}

}  // namespace entrepot::auth
