#include "services/manifest/retention/retention_rules.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "services/policy/name_checks.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_loader.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using config::v1::RetentionRule;

void CheckKeep(const std::string& field, const RetentionRule::Keep& keep, runtime::ConfigProblems* problems) {
  if (keep.last_tags() == 0 && !keep.has_pulled_within() && !keep.has_pushed_within() && keep.tags().empty()) {
    problems->Add(field, "keeps no tag; set a condition, or leave out the field to keep all tags");
  }
  if (keep.has_pulled_within()) {
    runtime::CheckDuration(absl::StrCat(field, ".pulled_within"), keep.pulled_within(), problems);
  }
  if (keep.has_pushed_within()) {
    runtime::CheckDuration(absl::StrCat(field, ".pushed_within"), keep.pushed_within(), problems);
  }
  policy::EachOf(absl::StrCat(field, ".tags"), keep.tags(), [&](const std::string& at, const std::string& pattern) {
    policy::CheckTagPattern(at, pattern, problems);
  });
}

void CheckRules(const config::v1::RetentionFile& file, runtime::ConfigProblems* problems) {
  policy::UniqueNames names("rule", problems);
  policy::EachOf("rules", file.rules(), [&](const std::string& field, const RetentionRule& rule) {
    policy::CheckDescription(absl::StrCat(field, ".name"), rule.name(), problems);
    names.Add(absl::StrCat(field, ".name"), rule.name());
    policy::CheckRepositories(absl::StrCat(field, ".repositories"), rule.repositories(), problems);
    if (rule.has_keep()) CheckKeep(absl::StrCat(field, ".keep"), rule.keep(), problems);
    if (rule.has_untagged_after()) {
      runtime::CheckDuration(absl::StrCat(field, ".untagged_after"), rule.untagged_after(), problems);
    }
  });
}

}  // namespace

absl::StatusOr<RetentionRules> ParseRetentionRules(absl::string_view text, absl::string_view file_name) {
  RetentionRules rules;
  runtime::ConfigProblems problems;
  RETURN_IF_ERROR(runtime::ParseConfig(text, file_name, &rules.file, &problems));
  CheckRules(rules.file, &problems);
  RETURN_IF_ERROR(problems.ToStatus(file_name));
  return rules;
}

}  // namespace entrepot::manifest
