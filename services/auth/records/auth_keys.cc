#include "services/auth/records/auth_keys.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "services/status/status_macros.h"

namespace entrepot::auth::keys {
namespace {

constexpr absl::string_view kSeparator("\0", 1);

absl::Status NoSuchKey(absl::string_view key) {
  return absl::DataLossError(absl::StrCat("not a key of the auth service: ", absl::CHexEscape(key)));
}

absl::StatusOr<Pair> Split(absl::string_view key, absl::string_view prefix) {
  absl::string_view rest = key;
  if (!absl::ConsumePrefix(&rest, prefix)) return NoSuchKey(key);
  const size_t separator = rest.find('\0');
  if (separator == absl::string_view::npos || rest.find('\0', separator + 1) != absl::string_view::npos) {
    return NoSuchKey(key);
  }
  return Pair{.first = std::string(rest.substr(0, separator)), .second = std::string(rest.substr(separator + 1))};
}

std::string EncodeExpiry(absl::Time expires_at, absl::string_view token_hash) {
  const auto micros = static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixMicros(expires_at)));
  return absl::StrCat(absl::StrFormat("%016X", micros), kSeparator, token_hash);
}

absl::StatusOr<Expiry> DecodeExpiry(absl::string_view key, absl::string_view prefix) {
  ASSIGN_OR_RETURN(Pair parts, Split(key, prefix));
  uint64_t micros;
  if (parts.first.size() != 16 || !absl::SimpleHexAtoi(parts.first, &micros)) return NoSuchKey(key);
  return Expiry{.expires_at = absl::FromUnixMicros(static_cast<int64_t>(micros)), .token_hash = parts.second};
}

}  // namespace

std::string Format() { return "f/auth"; }
std::string SigningKeys() { return "a/keys"; }
std::string User(absl::string_view name) { return absl::StrCat(Users(), name); }
std::string Robot(absl::string_view name) { return absl::StrCat(Robots(), name); }
std::string MemberOfGroup(absl::string_view group, absl::string_view account) {
  return absl::StrCat(Memberships(), group, kSeparator, account);
}
std::string GroupOfMember(absl::string_view account, absl::string_view group) {
  return absl::StrCat(GroupsOf(account), group);
}
std::string LastUse(absl::string_view account) { return absl::StrCat("a/l/", account); }
std::string RefreshToken(absl::string_view token_hash) { return absl::StrCat("a/t/", token_hash); }
std::string RefreshExpiry(absl::Time expires_at, absl::string_view token_hash) {
  return absl::StrCat(RefreshExpiries(), EncodeExpiry(expires_at, token_hash));
}
std::string RefreshGeneration(absl::string_view account) { return absl::StrCat("a/v/", account); }
std::string RefreshOfAccount(absl::string_view account, absl::Time expires_at, absl::string_view token_hash) {
  return absl::StrCat(RefreshesOfAccount(account), EncodeExpiry(expires_at, token_hash));
}

std::string Everything() { return "a/"; }
std::string Users() { return "a/u/"; }
std::string Robots() { return "a/r/"; }
std::string Memberships() { return "a/g/"; }
std::string GroupsOf(absl::string_view account) { return absl::StrCat("a/m/", account, kSeparator); }
std::string RefreshExpiries() { return "a/e/"; }
std::string RefreshesOfAccount(absl::string_view account) { return absl::StrCat("a/o/", account, kSeparator); }

absl::StatusOr<Pair> DecodeMembership(absl::string_view key) { return Split(key, Memberships()); }

absl::StatusOr<Expiry> DecodeRefreshExpiry(absl::string_view key) { return DecodeExpiry(key, RefreshExpiries()); }

absl::StatusOr<Expiry> DecodeRefreshOfAccount(absl::string_view account, absl::string_view key) {
  return DecodeExpiry(key, RefreshesOfAccount(account));
}

}  // namespace entrepot::auth::keys
