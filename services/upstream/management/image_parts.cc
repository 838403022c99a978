#include "services/upstream/management/image_parts.h"

#include <cstddef>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boost/json/value.hpp"
#include "services/core/text/json_members.h"
#include "services/core/text/strict_json.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::upstream {
namespace {

Platform PlatformOf(const boost::json::value& descriptor) {
  const boost::json::value* const platform = JsonMember(descriptor, "platform");
  if (platform == nullptr) return {};
  return {.os = std::string(JsonText(*platform, "os")),
          .architecture = std::string(JsonText(*platform, "architecture")),
          .variant = std::string(JsonText(*platform, "variant"))};
}

// Windows' base layers, which come from other servers.
bool IsDistributed(const boost::json::value& layer) {
  const absl::string_view type = JsonText(layer, "mediaType");
  return !absl::StrContains(type, "nondistributable") && !absl::StrContains(type, "foreign");
}

// Calls `use` with each element of the list.
template <typename Use>
void ForEach(const boost::json::value& object, absl::string_view list, const Use& use) {
  const boost::json::value* const value = JsonMember(object, list);
  if (value == nullptr || !value->is_array()) return;
  for (const boost::json::value& element : value->get_array()) use(element);
}

}  // namespace

absl::StatusOr<ImageParts> ParseImageParts(absl::string_view manifest) {
  ASSIGN_OR_RETURN(const boost::json::value value, ParseStrictJson(manifest));
  if (!value.is_object()) return absl::InvalidArgumentError("a manifest is not a JSON object");
  ImageParts parts;
  std::set<Digest> children;
  ForEach(value, "manifests", [&](const boost::json::value& child) {
    auto digest = Digest::Parse(JsonText(child, "digest"));
    if (!digest.ok() || !children.insert(*digest).second) return;
    parts.children.push_back({.digest = *std::move(digest), .platform = PlatformOf(child)});
  });
  std::set<Digest> blobs;
  const auto add_blob = [&](const boost::json::value& descriptor) {
    auto digest = Digest::Parse(JsonText(descriptor, "digest"));
    if (!digest.ok() || !IsDistributed(descriptor) || !blobs.insert(*digest).second) return;
    parts.blobs.push_back({.digest = *std::move(digest), .size_bytes = JsonSize(descriptor, "size").value_or(0)});
  };
  if (const boost::json::value* const config = JsonMember(value, "config")) add_blob(*config);
  ForEach(value, "layers", add_blob);
  return parts;
}

absl::StatusOr<std::vector<Digest>> WantedChildren(const ImageParts& parts, const std::vector<Platform>& platforms,
                                                   bool is_root) {
  std::vector<Digest> wanted;
  std::vector<bool> found(platforms.size());
  std::set<std::string> offered;
  for (const ImageChild& child : parts.children) {
    const bool is_known = !child.platform.os.empty();
    bool matches = platforms.empty() || !is_known;
    for (size_t i = 0; i < platforms.size(); ++i) {
      if (!Matches(child.platform, platforms[i])) continue;
      found[i] = true;
      matches = true;
    }
    if (is_known) offered.insert(child.platform.ToString());
    if (matches) wanted.push_back(child.digest);
  }
  // Children without a platform may be anything.
  if (!is_root || offered.empty()) return wanted;
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i]) continue;
    return absl::NotFoundError(absl::StrCat("the image has no platform ", platforms[i].ToString(), ", but ",
                                            QuotedInput(absl::StrJoin(offered, ", "))));
  }
  return wanted;
}

}  // namespace entrepot::upstream
