#include "services/auth/credentials/htpasswd.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::auth::BcryptHash;
using entrepot::auth::ParseHtpasswd;
using entrepot::auth::PasswordHashes;

FUZZ_TARGET(input) {
  const absl::StatusOr<PasswordHashes> users = ParseHtpasswd(input, "users");
  if (!users.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(users.status()));
    int lines = 0;
    for (const absl::string_view line : absl::StrSplit(users.status().message(), '\n')) {
      ++lines;
      FUZZ_CHECK(absl::StartsWith(line, "users:"));
      FUZZ_CHECK(line.size() <= 1000);
      for (const char c : line) FUZZ_CHECK(c >= ' ' && c <= '~');
    }
    FUZZ_CHECK(lines <= 20);
    return;
  }
  // Parsed users, written again, are parsed to the same users.
  std::string text;
  for (const auto& [name, hash] : *users) {
    FUZZ_CHECK(!name.empty() && name.find(':') == std::string::npos);
    FUZZ_CHECK(hash.cost() >= 4 && hash.cost() <= 17);
    FUZZ_CHECK(BcryptHash::Parse(hash.ToString()).ok());
    absl::StrAppend(&text, name, ":", hash.ToString(), "\n");
  }
  const absl::StatusOr<PasswordHashes> again = ParseHtpasswd(text, "users");
  FUZZ_CHECK(again.ok() && again->size() == users->size());
}
