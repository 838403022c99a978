#include "services/policy/unknown_subjects.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/policy/subject.h"
#include "services/status/quoted_input.h"

namespace entrepot::policy {
namespace {

// The user name of logins with an identity token, which is not an account.
constexpr char kIdentityTokenUser[] = "oidc";

bool HasMembers(const config::v1::Policy& file, absl::string_view group) {
  return std::any_of(file.groups().begin(), file.groups().end(),
                     [&](const auto& other) { return other.name() == group && !other.members().empty(); });
}

bool HasProviderOf(const config::v1::Policy& file, absl::string_view account) {
  const auto& providers = file.identity_providers();
  return std::any_of(providers.begin(), providers.end(), [&](const auto& provider) {
    return absl::StartsWith(account, absl::StrCat(kWorkloadPrefix, provider.name(), ":"));
  });
}

// Empty if the subject is there.
std::string WhyUnknown(const config::v1::Policy& file, const KnownSubjects& known, absl::string_view subject) {
  if (absl::string_view group = subject; absl::ConsumePrefix(&group, kGroupPrefix)) {
    if (HasMembers(file, group) || known.has_members(group)) return "";
    return absl::StrCat("the group ", QuotedInput(group), " has no members");
  }
  if (absl::StartsWith(subject, kWorkloadPrefix)) {
    if (HasProviderOf(file, subject)) return "";
    return absl::StrCat("no identity provider of this file has the account ", QuotedInput(subject));
  }
  if (subject == kIdentityTokenUser) {
    return absl::StrCat(QuotedInput(subject), " is not an account: an identity token has the account \"",
                        kWorkloadPrefix, "PROVIDER:SUBJECT\"");
  }
  if (known.has_account(subject)) return "";
  return absl::StrCat(known.source, " has no ", IsMachine(subject) ? "robot " : "user ",
                      QuotedInput(absl::StripPrefix(subject, kRobotPrefix)));
}

}  // namespace

std::vector<std::string> FindUnknownSubjects(const config::v1::Policy& file, const std::vector<Mention>& mentions,
                                             const KnownSubjects& known) {
  std::vector<std::string> lines;
  for (const Mention& mention : mentions) {
    const std::string why = WhyUnknown(file, known, mention.subject);
    if (!why.empty()) lines.push_back(absl::StrCat(mention.place, ": ", why));
  }
  return lines;
}

}  // namespace entrepot::policy
