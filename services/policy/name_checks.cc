#include "services/policy/name_checks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "services/core/tag.h"
#include "services/policy/repository_pattern.h"
#include "services/policy/rule.h"
#include "services/policy/subject.h"
#include "services/status/quoted_input.h"

namespace entrepot::policy {
namespace {

constexpr size_t kNameBytesMax = 128;
// The account of a workload identity contains the subject that its issuer chose.
constexpr size_t kAccountBytesMax = 512;

bool IsIdentifierByte(char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

void CheckNotEmpty(const std::string& field, bool empty, runtime::ConfigProblems* problems) {
  if (empty) problems->Add(field, "is empty: without it the rule never applies");
}

void CheckIdentifier(const std::string& field, const std::string& name, runtime::ConfigProblems* problems) {
  if (name.empty()) return problems->Add(field, "is missing");
  if (name.size() <= kNameBytesMax && std::all_of(name.begin(), name.end(), IsIdentifierByte)) return;
  problems->Add(field, absl::StrCat(QuotedInput(name), " is not a text of up to ", kNameBytesMax,
                                    " letters, digits, '.', '_' and '-'"));
}

void CheckDescription(const std::string& field, const std::string& name, runtime::ConfigProblems* problems) {
  const bool printable = std::none_of(name.begin(), name.end(), [](char c) { return absl::ascii_iscntrl(c); });
  if (name.size() <= kNameBytesMax && printable) return;
  problems->Add(field,
                absl::StrCat(QuotedInput(name), " is not a text of up to ", kNameBytesMax, " printable characters"));
}

void CheckAccount(const std::string& field, const std::string& account, runtime::ConfigProblems* problems) {
  if (account.empty()) return problems->Add(field, "is empty");
  const bool printable = std::all_of(account.begin(), account.end(), [](char c) { return absl::ascii_isgraph(c); });
  if (account.size() > kAccountBytesMax || !printable) {
    return problems->Add(field, absl::StrCat(QuotedInput(account), " is not a text of up to ", kAccountBytesMax,
                                             " printable ASCII characters without blanks"));
  }
  if (account == kRobotPrefix || account == kWorkloadPrefix) {
    return problems->Add(field, absl::StrCat(QuotedInput(account), " has no name after the prefix"));
  }
  // In a line of a password file the user's name ends at the first colon.
  if (absl::StrContains(account, ':') && !absl::StartsWith(account, kWorkloadPrefix)) {
    problems->Add(field,
                  absl::StrCat(QuotedInput(account), " contains a ':', which is not allowed in an account's name"));
  }
}

void CheckRepositories(const std::string& field, const RepeatedText& patterns, runtime::ConfigProblems* problems) {
  CheckNotEmpty(field, patterns.empty(), problems);
  EachOf(field, patterns, [&](const std::string& at, const std::string& pattern) {
    const auto parsed = RepositoryPattern::Parse(pattern);
    if (!parsed.ok()) problems->Add(at, parsed.status().message());
  });
}

void CheckTagPattern(const std::string& field, const std::string& pattern, runtime::ConfigProblems* problems) {
  // If any text in place of the stars makes a valid tag, a zero does.
  if (Tag::Parse(absl::StrReplaceAll(pattern, {{"*", "0"}})).ok()) return;
  problems->Add(field, absl::StrCat(QuotedInput(pattern),
                                    " matches no tag: tags are up to 128 letters, digits, '_', '.' and '-', and begin "
                                    "with neither of the last two"));
}

void CheckActions(const std::string& field, const RepeatedText& actions, runtime::ConfigProblems* problems) {
  CheckNotEmpty(field, actions.empty(), problems);
  EachOf(field, actions, [&](const std::string& at, const std::string& action) {
    if (action == "*" || ActionByName(action).has_value()) return;
    problems->Add(at,
                  absl::StrCat("unknown action ", QuotedInput(action), ": actions are pull, push, delete and \"*\""));
  });
}

void UniqueNames::Add(const std::string& field, const std::string& name) {
  if (name.empty()) return;
  const auto [first, is_new] = fields_.emplace(name, field);
  if (is_new) return;
  problems_.Add(field, absl::StrCat("the ", what_, " ", QuotedInput(name), " exists already: ", first->second));
}

}  // namespace entrepot::policy
