#include "gateway/api/content/entity_tag.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace entrepot::gateway::api {

std::string EntityTag(const Digest& digest) { return absl::StrCat("\"", digest.ToString(), "\""); }

bool MatchesEntityTag(absl::string_view if_none_match, const Digest& digest) {
  for (absl::string_view tag : absl::StrSplit(if_none_match, ',')) {
    tag = absl::StripAsciiWhitespace(tag);
    if (tag == "*") return true;
    absl::ConsumePrefix(&tag, "W/");
    if (absl::ConsumePrefix(&tag, "\"") && !absl::ConsumeSuffix(&tag, "\"")) continue;
    if (tag == digest.ToString()) return true;
  }
  return false;
}

}  // namespace entrepot::gateway::api
