#include "services/manifest/retention/kept_tags.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/core/text/glob.h"
#include "services/runtime/config/config_defaults.h"

namespace entrepot::manifest {
namespace {

using config::v1::RetentionRule;
using runtime::ToDuration;

bool IsKept(const RetentionRule::Keep& keep, const TagState& tag, absl::Time now, absl::Time pulls_known_since) {
  if (keep.has_pushed_within() && now - tag.pushed_at < ToDuration(keep.pushed_within())) return true;
  if (keep.has_pulled_within()) {
    const absl::Time used_at = std::max(tag.pushed_at, tag.pulled_at.value_or(pulls_known_since));
    if (now - used_at < ToDuration(keep.pulled_within())) return true;
  }
  return std::any_of(keep.tags().begin(), keep.tags().end(),
                     [&](const std::string& pattern) { return GlobMatches(pattern, tag.tag.ToString()); });
}

}  // namespace

std::vector<bool> KeptTags(const RetentionRule::Keep& keep, const std::vector<const TagState*>& tags, absl::Time now,
                           absl::Time pulls_known_since) {
  std::vector<bool> kept(tags.size());
  for (size_t i = 0; i < tags.size(); ++i) kept[i] = IsKept(keep, *tags[i], now, pulls_known_since);

  std::vector<size_t> by_age(tags.size());
  std::iota(by_age.begin(), by_age.end(), size_t{0});
  std::sort(by_age.begin(), by_age.end(), [&](size_t a, size_t b) {
    if (tags[a]->pushed_at != tags[b]->pushed_at) return tags[a]->pushed_at > tags[b]->pushed_at;
    return tags[b]->tag < tags[a]->tag;
  });
  for (size_t i = 0; i < by_age.size() && i < keep.last_tags(); ++i) kept[by_age[i]] = true;
  return kept;
}

std::string DescribeKeep(const RetentionRule::Keep& keep) {
  std::vector<std::string> parts;
  if (keep.last_tags() > 0) {
    parts.push_back(keep.last_tags() == 1 ? "the last tag" : absl::StrCat("the last ", keep.last_tags(), " tags"));
  }
  if (keep.has_pushed_within()) {
    parts.push_back(absl::StrCat("tags pushed within ", absl::FormatDuration(ToDuration(keep.pushed_within()))));
  }
  if (keep.has_pulled_within()) {
    parts.push_back(absl::StrCat("tags pulled within ", absl::FormatDuration(ToDuration(keep.pulled_within()))));
  }
  if (!keep.tags().empty()) parts.push_back(absl::StrCat("tags like ", absl::StrJoin(keep.tags(), " or ")));
  return absl::StrCat("keep ", absl::StrJoin(parts, ", "));
}

}  // namespace entrepot::manifest
