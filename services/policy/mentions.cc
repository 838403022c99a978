#include "services/policy/mentions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/policy/name_checks.h"
#include "services/policy/subject.h"

namespace entrepot::policy {
namespace {

// Leaves out mentions whose place begins a line about a problem.
std::vector<Mention> WithoutProblems(std::vector<Mention> mentions, std::vector<std::string> lines) {
  if (lines.empty()) return mentions;
  std::sort(lines.begin(), lines.end());
  const auto has_problem = [&](const Mention& mention) {
    const std::string begin = absl::StrCat(mention.place, ": ");
    const auto line = std::lower_bound(lines.begin(), lines.end(), begin);
    return line != lines.end() && absl::StartsWith(*line, begin);
  };
  mentions.erase(std::remove_if(mentions.begin(), mentions.end(), has_problem), mentions.end());
  return mentions;
}

}  // namespace

std::vector<Mention> MentionsIn(const config::v1::Policy& file, absl::string_view file_name,
                                const runtime::ConfigProblems& problems) {
  std::vector<Mention> mentions;
  const auto add = [&](const std::string& field, const std::string& subject) {
    if (problems.IsUnreadable(field)) return;
    if (absl::StartsWith(subject, kWorkloadPrefix) && problems.IsUnreadable("identity_providers")) return;
    mentions.push_back({problems.PlaceOf(file_name, field), subject});
  };
  const auto add_account = [&](const std::string& field, const std::string& subject) {
    if (subject == kAnyone || subject == kAuthenticated || absl::StartsWith(subject, kGroupPrefix)) return;
    add(field, subject);
  };
  const auto add_subjects = [&](const std::string& field, const auto& rule) {
    EachOf(absl::StrCat(field, ".subjects"), rule.subjects(), add_account);
  };
  EachOf("administrators", file.administrators(), add_account);
  EachOf("groups", file.groups(), [&](const std::string& field, const config::v1::Policy::Group& group) {
    add(field, absl::StrCat(kGroupPrefix, group.name()));
    EachOf(absl::StrCat(field, ".members"), group.members(), add_account);
  });
  EachOf("rules", file.rules(), add_subjects);
  EachOf("create_only_tags", file.create_only_tags(), add_subjects);
  return WithoutProblems(std::move(mentions), problems.LinesOf(file_name));
}

}  // namespace entrepot::policy
