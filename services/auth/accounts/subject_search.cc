#include "services/auth/accounts/subject_search.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/policy/unknown_subjects.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::auth {
namespace {

constexpr size_t kLoggedMax = 20;

}  // namespace

std::vector<std::string> UnknownSubjects(const config::v1::Policy& file, const std::vector<policy::Mention>& mentions,
                                         AccountDirectory& accounts) {
  const auto groups = accounts.memberships().All();
  return policy::FindUnknownSubjects(
      file, mentions,
      {.source = "the registry",
       .has_account =
           [&](absl::string_view account) {
             const auto found = accounts.Find(account);
             return !found.ok() || found->has_value();
           },
       .has_members = [&](absl::string_view group) { return !groups.ok() || groups->contains(std::string(group)); }});
}

void LogUnknownSubjects(const policy::Policy& policy, AccountDirectory& accounts) {
  std::vector<std::string> unknown = UnknownSubjects(policy.file(), policy.mentions(), accounts);
  if (unknown.empty()) return;
  if (unknown.size() > kLoggedMax) {
    const size_t more = unknown.size() - kLoggedMax;
    unknown.resize(kLoggedMax);
    unknown.push_back(absl::StrCat("and ", more, " more"));
  }
  runtime::Log(runtime::LogLevel::kWarning, "the policy names accounts or groups that do not exist",
               {{"problems", absl::StrJoin(unknown, "\n")}});
}

}  // namespace entrepot::auth
