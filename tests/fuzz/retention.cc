#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "services/core/text/glob.h"
#include "services/manifest/retention/retention_rules.h"
#include "services/policy/repository_pattern.h"
#include "services/runtime/config/config_defaults.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::manifest::ParseRetentionRules;
using entrepot::policy::RepositoryPattern;
using entrepot::runtime::ToDuration;

FUZZ_TARGET(input) {
  const auto rules = ParseRetentionRules(input, "fuzz.yaml");
  if (!rules.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(rules.status()));
    FUZZ_CHECK(rules.status().message().size() <= 200'000);
    for (const absl::string_view line : absl::StrSplit(rules.status().message(), '\n')) {
      FUZZ_CHECK(absl::StartsWith(line, "fuzz.yaml:"));
      FUZZ_CHECK(line.find_first_of(absl::string_view("\r\0", 2)) == absl::string_view::npos);
    }
    return;
  }
  for (const auto& rule : rules->file.rules()) {
    FUZZ_CHECK(!rule.repositories().empty());
    for (const std::string& pattern : rule.repositories()) FUZZ_CHECK(RepositoryPattern::Parse(pattern).ok());
    const auto& keep = rule.keep();
    // A rule about tags keeps some tags, and no duration is zero.
    if (rule.has_keep()) {
      FUZZ_CHECK(keep.last_tags() > 0 || keep.has_pulled_within() || keep.has_pushed_within() || !keep.tags().empty());
    }
    for (const std::string& pattern : keep.tags()) {
      FUZZ_CHECK(!pattern.empty());
      entrepot::GlobMatches(pattern, "release-1");
    }
    if (keep.has_pulled_within()) FUZZ_CHECK(ToDuration(keep.pulled_within()) > absl::ZeroDuration());
    if (keep.has_pushed_within()) FUZZ_CHECK(ToDuration(keep.pushed_within()) > absl::ZeroDuration());
    if (rule.has_untagged_after()) FUZZ_CHECK(ToDuration(rule.untagged_after()) > absl::ZeroDuration());
  }
}
