#include "services/auth/records/account_name.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

constexpr size_t kUserNameBytesMax = 128;
constexpr size_t kOtherNameBytesMax = 64;

struct Grammar {
  absl::string_view what;
  size_t bytes_max;
  absl::string_view first;   // In addition to letters and digits.
  absl::string_view others;  // The same.
};
constexpr Grammar kUserName{"a user's name", kUserNameBytesMax, "_", "._-@+$\\"};
constexpr Grammar kRobotName{"a robot's name", kOtherNameBytesMax, "", "._-"};
constexpr Grammar kGroupName{"a group's name", kOtherNameBytesMax, "", "._-"};

bool IsOneOf(char c, absl::string_view characters) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || characters.find(c) != absl::string_view::npos;
}

absl::Status CheckGrammar(const Grammar& grammar, absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError(absl::StrCat(grammar.what, " cannot be empty"));
  if (name.size() > grammar.bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat(grammar.what, " has at most ", grammar.bytes_max, " characters"));
  }
  const bool fits = IsOneOf(name.front(), grammar.first) &&
                    std::all_of(name.begin(), name.end(), [&](char c) { return IsOneOf(c, grammar.others); });
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(QuotedInput(name), " is not ", grammar.what,
                                                 ": it is made of letters, digits and `", grammar.others,
                                                 "`, and begins with a letter or a digit"));
}

}  // namespace

absl::Status CheckUserName(absl::string_view name) {
  for (const absl::string_view prefix : {policy::kRobotPrefix, policy::kWorkloadPrefix, policy::kGroupPrefix}) {
    if (!absl::StartsWith(name, prefix)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(QuotedInput(name), " cannot be a user's name: \"", prefix, "\" marks another kind of account"));
  }
  // Words with a meaning in the policy file, or in a login with an identity provider's token.
  const std::array<absl::string_view, 4> reserved = {"anonymous", policy::kAnyone, policy::kAuthenticated,
                                                     kIdentityTokenUser};
  if (std::find(reserved.begin(), reserved.end(), name) != reserved.end()) {
    return absl::InvalidArgumentError(absl::StrCat(QuotedInput(name), " is reserved and cannot be a user's name"));
  }
  return CheckGrammar(kUserName, name);
}

absl::Status CheckRobotName(absl::string_view name) { return CheckGrammar(kRobotName, name); }
absl::Status CheckGroupName(absl::string_view name) { return CheckGrammar(kGroupName, name); }

std::string RobotAccount(absl::string_view name) { return absl::StrCat(policy::kRobotPrefix, name); }

std::optional<absl::string_view> RobotNameOf(absl::string_view account) {
  if (!absl::ConsumePrefix(&account, policy::kRobotPrefix)) return std::nullopt;
  return account;
}

bool IsIdentityAccount(absl::string_view account) { return absl::StartsWith(account, policy::kWorkloadPrefix); }

}  // namespace entrepot::auth
