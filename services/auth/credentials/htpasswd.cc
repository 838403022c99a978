#include "services/auth/credentials/htpasswd.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/auth/records/account_name.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

constexpr size_t kProblemsMax = 20;

absl::Status AddUser(absl::string_view line, PasswordHashes* users) {
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) {
    return absl::InvalidArgumentError("no \":\": a line must be a user name, a colon, and a hash from htpasswd -B");
  }
  const absl::string_view name = line.substr(0, colon);
  RETURN_IF_ERROR(CheckUserName(name));
  absl::StatusOr<BcryptHash> hash = BcryptHash::Parse(line.substr(colon + 1));
  if (!hash.ok()) return absl::InvalidArgumentError(absl::StrCat("user ", name, ": ", hash.status().message()));
  if (!users->emplace(std::string(name), *std::move(hash)).second) {
    return absl::InvalidArgumentError(absl::StrCat("user ", name, " occurs twice"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PasswordHashes> ParseHtpasswd(absl::string_view text, absl::string_view file_name) {
  PasswordHashes users;
  std::vector<std::string> problems;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    absl::ConsumeSuffix(&line, "\r");
    if (line.empty() || line.front() == '#') continue;
    const absl::Status added = AddUser(line, &users);
    if (!added.ok()) problems.push_back(absl::StrCat(file_name, ":", number, ": ", added.message()));
    if (problems.size() == kProblemsMax) break;
  }
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  return users;
}

}  // namespace entrepot::auth
