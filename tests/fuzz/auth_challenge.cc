#include "services/upstream/login/auth_challenge.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::upstream::AuthChallenge;
using entrepot::upstream::ChooseChallenge;
using entrepot::upstream::kChallengeParametersMax;
using entrepot::upstream::kChallengesMax;
using entrepot::upstream::ParseAuthChallenges;

namespace {

bool IsLowerCaseName(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && !absl::ascii_isupper(static_cast<unsigned char>(c));
  });
}

std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return absl::StrCat(quoted, "\"");
}

std::string Write(const AuthChallenge& challenge) {
  std::string text = challenge.scheme;
  std::string separator = " ";
  for (const auto& [name, value] : challenge.parameters) {
    absl::StrAppend(&text, separator, name, "=", Quoted(value));
    separator = ",";
  }
  return text;
}

}  // namespace

// Each line is a field.
FUZZ_TARGET(input) {
  const std::vector<absl::string_view> fields = absl::StrSplit(input, '\n');
  const std::vector<AuthChallenge> challenges = ParseAuthChallenges(fields);
  FUZZ_CHECK(challenges.size() <= kChallengesMax);
  for (const AuthChallenge& challenge : challenges) {
    FUZZ_CHECK(IsLowerCaseName(challenge.scheme));
    FUZZ_CHECK(challenge.parameters.size() <= kChallengeParametersMax);
    for (const auto& [name, value] : challenge.parameters) FUZZ_CHECK(IsLowerCaseName(name));
    // A parsed challenge, written again, is parsed to the same one.
    const std::string text = Write(challenge);
    if (text.size() > entrepot::upstream::kChallengeFieldBytesMax) continue;
    const std::vector<AuthChallenge> again = ParseAuthChallenges({text});
    FUZZ_CHECK(again.size() == 1 && again.front() == challenge);
  }
  const auto chosen = ChooseChallenge(challenges);
  FUZZ_CHECK(!chosen.has_value() || chosen->scheme == "bearer" || chosen->scheme == "basic");
}
