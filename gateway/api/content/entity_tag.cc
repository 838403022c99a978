#include "gateway/api/content/entity_tag.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

// nullopt if the request does not have the field.
std::optional<EntityTags> ParseTags(const http::Request& request, absl::string_view field, bool weak) {
  if (!request.Find(field).has_value()) return std::nullopt;
  EntityTags tags;
  const std::string value = request.Join(field);
  for (absl::string_view tag : absl::StrSplit(value, ',')) {
    tag = absl::StripAsciiWhitespace(tag);
    if (tag == "*") tags.any = true;
    if (absl::ConsumePrefix(&tag, "W/") && !weak) continue;
    if (absl::ConsumePrefix(&tag, "\"") && !absl::ConsumeSuffix(&tag, "\"")) continue;
    absl::StatusOr<Digest> digest = Digest::Parse(tag);
    if (digest.ok()) tags.digests.push_back(*std::move(digest));
  }
  return tags;
}

}  // namespace

std::string EntityTag(const Digest& digest) { return absl::StrCat("\"", digest.ToString(), "\""); }

Preconditions ParsePreconditions(const http::Request& request) {
  return {.if_match = ParseTags(request, "If-Match", /*weak=*/false),
          .if_none_match = ParseTags(request, "If-None-Match", /*weak=*/true)};
}

absl::StatusOr<bool> IsUnchanged(const http::Request& request, const Digest& digest) {
  Preconditions preconditions = ParsePreconditions(request);
  const std::optional<EntityTags> if_none_match = std::exchange(preconditions.if_none_match, std::nullopt);
  RETURN_IF_ERROR(preconditions.Check(digest));
  return if_none_match.has_value() && if_none_match->Match(digest);
}

}  // namespace entrepot::gateway::api
