#include "services/upstream/client/content_lists.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/json/value.hpp"
#include "services/core/tag.h"
#include "services/core/text/json_members.h"
#include "services/core/text/strict_json.h"
#include "services/status/status_macros.h"

namespace entrepot::upstream {
namespace {

// Limits of the tag scheme (OCI distribution specification, "Referrers tag schema").
constexpr size_t kAlgorithmBytesMax = 32;
constexpr size_t kHexBytesMax = 64;

std::string Text(const boost::json::string& text) { return std::string(text.data(), text.size()); }

absl::StatusOr<boost::json::object> ParseObject(absl::string_view json) {
  ASSIGN_OR_RETURN(boost::json::value value, ParseStrictJson(json));
  if (!value.is_object()) return absl::InvalidArgumentError("is not a JSON object");
  return std::move(value.get_object());
}

std::optional<Referrer> ParseDescriptor(const boost::json::value& value) {
  auto digest = Digest::Parse(JsonText(value, "digest"));
  const std::optional<uint64_t> size_bytes = JsonSize(value, "size");
  std::string media_type(JsonText(value, "mediaType"));
  if (!digest.ok() || !size_bytes.has_value() || media_type.empty()) return std::nullopt;
  Referrer referrer{.digest = *std::move(digest),
                    .media_type = std::move(media_type),
                    .size_bytes = *size_bytes,
                    .artifact_type = std::string(JsonText(value, "artifactType")),
                    .annotations = {}};
  const boost::json::value* annotations = JsonMember(value, "annotations");
  if (annotations == nullptr || !annotations->is_object()) return referrer;
  for (const auto& [key, text] : annotations->get_object()) {
    if (text.is_string()) referrer.annotations.emplace(std::string(key.data(), key.size()), Text(text.get_string()));
  }
  return referrer;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseTagList(absl::string_view json) {
  ASSIGN_OR_RETURN(const boost::json::object object, ParseObject(json));
  const boost::json::value* list = object.if_contains("tags");
  std::vector<std::string> tags;
  // Registries write null for a repository without tags.
  if (list != nullptr && list->is_null()) return tags;
  if (list == nullptr || !list->is_array()) return absl::InvalidArgumentError("has no \"tags\"");
  for (const boost::json::value& tag : list->get_array()) {
    if (tag.is_string() && Tag::Parse(Text(tag.get_string())).ok()) tags.push_back(Text(tag.get_string()));
  }
  return tags;
}

absl::StatusOr<std::vector<Referrer>> ParseReferrers(absl::string_view json) {
  ASSIGN_OR_RETURN(const boost::json::object object, ParseObject(json));
  const boost::json::value* manifests = object.if_contains("manifests");
  std::vector<Referrer> referrers;
  if (manifests != nullptr && manifests->is_null()) return referrers;
  if (manifests == nullptr || !manifests->is_array()) return absl::InvalidArgumentError("has no \"manifests\"");
  for (const boost::json::value& descriptor : manifests->get_array()) {
    if (auto referrer = ParseDescriptor(descriptor)) referrers.push_back(*std::move(referrer));
  }
  return referrers;
}

std::string ReferrersTag(const Digest& subject) {
  return absl::StrCat(DigestAlgorithmName(subject.algorithm()).substr(0, kAlgorithmBytesMax), "-",
                      subject.hex().substr(0, kHexBytesMax));
}

}  // namespace entrepot::upstream
