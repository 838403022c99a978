#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_KEYS_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_KEYS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// The keys of the auth service's records. No other code encodes or decodes them.
//
// Layout, version 1. FROZEN: a change needs a new version and a migration. `|` is the byte 0x00, which occurs in no
// component. Values are the messages of storage/v1/auth_records.proto.
//
//   f/auth                        AuthFormatRecord
//   a/keys                        SigningKeySetRecord
//   a/u/<user>                    UserRecord
//   a/r/<robot>                   RobotRecord; without the prefix "robot+"
//   a/g/<group>|<account>         MembershipRecord
//   a/m/<account>|<group>         MembershipRecord
//   a/l/<account>                 LastUseRecord
//   a/t/<token hash>              RefreshTokenRecord
//   a/e/<expiry>|<token hash>     RefreshExpiryRecord; <expiry>: microseconds since 1970 as 16 upper-case hex digits
//   a/v/<account>                 RefreshGenerationRecord
//   a/o/<account>|<expiry>|<token hash>  RefreshOfAccountRecord
namespace entrepot::auth::keys {

inline constexpr int kFormatVersion = 1;

std::string Format();
std::string SigningKeys();
std::string User(absl::string_view name);
std::string Robot(absl::string_view name);
std::string MemberOfGroup(absl::string_view group, absl::string_view account);
std::string GroupOfMember(absl::string_view account, absl::string_view group);
std::string LastUse(absl::string_view account);
std::string RefreshToken(absl::string_view token_hash);
std::string RefreshExpiry(absl::Time expires_at, absl::string_view token_hash);
std::string RefreshGeneration(absl::string_view account);
std::string RefreshOfAccount(absl::string_view account, absl::Time expires_at, absl::string_view token_hash);

// Prefixes for scans. A key is a prefix and the rest of its layout.
std::string Everything();
std::string Users();
std::string Robots();
std::string Memberships();
std::string GroupsOf(absl::string_view account);
std::string RefreshExpiries();
std::string RefreshesOfAccount(absl::string_view account);

// The two components that follow a prefix.
struct Pair {
  std::string first;
  std::string second;
};
// The group and the account of a key of Memberships(). kDataLoss: the key does not have the layout.
absl::StatusOr<Pair> DecodeMembership(absl::string_view key);
struct Expiry {
  absl::Time expires_at;
  std::string token_hash;
};
absl::StatusOr<Expiry> DecodeRefreshExpiry(absl::string_view key);
// The same of a key of RefreshesOfAccount(account).
absl::StatusOr<Expiry> DecodeRefreshOfAccount(absl::string_view account, absl::string_view key);

}  // namespace entrepot::auth::keys

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_KEYS_H_
