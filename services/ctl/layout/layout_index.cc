#include "services/ctl/layout/layout_index.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "services/core/text/strict_json.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace json = boost::json;

constexpr char kTagAnnotation[] = "org.opencontainers.image.ref.name";
constexpr char kRepositoryAnnotation[] = "io.entrepot.repository";

const json::value* Member(const json::value& object, const char* key) {
  return object.is_object() ? object.get_object().if_contains(key) : nullptr;
}

std::string TextOf(const json::value* object, const char* key) {
  const json::value* const value = object != nullptr ? Member(*object, key) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string().c_str()) : "";
}

absl::StatusOr<json::value> ParseIndex(absl::string_view text) {
  auto index = ParseStrictJson(text);
  if (!index.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(kLayoutIndexName, " is not JSON: ", index.status().message()));
  }
  const json::value* const manifests = Member(*index, "manifests");
  if (manifests == nullptr || !manifests->is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(kLayoutIndexName, " has no list of manifests"));
  }
  return index;
}

absl::StatusOr<LayoutEntry> ParseEntry(const json::value& value) {
  auto digest = Digest::Parse(TextOf(&value, "digest"));
  if (!digest.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a manifest in ", kLayoutIndexName, ": ", digest.status().message()));
  }
  const json::value* const annotations = Member(value, "annotations");
  const json::value* const size = Member(value, "size");
  return LayoutEntry{.media_type = TextOf(&value, "mediaType"),
                     .digest = *std::move(digest),
                     .size_bytes = size != nullptr && size->is_int64() && size->get_int64() > 0
                                       ? static_cast<uint64_t>(size->get_int64())
                                       : 0,
                     .tag = TextOf(annotations, kTagAnnotation),
                     .repository = TextOf(annotations, kRepositoryAnnotation),
                     .artifact_type = TextOf(&value, "artifactType")};
}

json::value ToJson(const LayoutEntry& entry) {
  json::object object = {{"mediaType", entry.media_type},
                         {"digest", entry.digest.ToString()},
                         {"size", static_cast<int64_t>(entry.size_bytes)}};
  json::object annotations;
  if (!entry.repository.empty()) annotations[kRepositoryAnnotation] = entry.repository;
  if (!entry.tag.empty()) annotations[kTagAnnotation] = entry.tag;
  if (!annotations.empty()) object["annotations"] = std::move(annotations);
  if (!entry.artifact_type.empty()) object["artifactType"] = entry.artifact_type;
  return object;
}

bool Replaces(const LayoutEntry& entry, const json::value& before) {
  const auto parsed = ParseEntry(before);
  if (!parsed.ok() || parsed->repository != entry.repository || parsed->tag != entry.tag) return false;
  return !entry.tag.empty() || parsed->digest == entry.digest;
}

}  // namespace

std::string LayoutBlobPath(const Digest& digest) {
  return absl::StrCat("blobs/", DigestAlgorithmName(digest.algorithm()), "/", digest.hex());
}

absl::StatusOr<std::vector<LayoutEntry>> ParseLayoutIndex(absl::string_view text) {
  ASSIGN_OR_RETURN(const json::value index, ParseIndex(text));
  std::vector<LayoutEntry> entries;
  for (const json::value& value : Member(index, "manifests")->get_array()) {
    ASSIGN_OR_RETURN(LayoutEntry entry, ParseEntry(value));
    entries.push_back(std::move(entry));
  }
  return entries;
}

absl::StatusOr<std::string> WithLayoutEntries(absl::string_view text, const std::vector<LayoutEntry>& entries) {
  json::value index = json::object{
      {"schemaVersion", 2}, {"mediaType", "application/vnd.oci.image.index.v1+json"}, {"manifests", json::array()}};
  if (!text.empty()) {
    ASSIGN_OR_RETURN(index, ParseIndex(text));
  }
  json::array& manifests = index.get_object()["manifests"].get_array();
  for (const LayoutEntry& entry : entries) {
    json::value* place = nullptr;
    for (json::value& before : manifests) {
      if (place == nullptr && Replaces(entry, before)) place = &before;
    }
    if (place != nullptr) {
      *place = ToJson(entry);
    } else {
      manifests.push_back(ToJson(entry));
    }
  }
  return json::serialize(index);
}

}  // namespace entrepot::ctl
