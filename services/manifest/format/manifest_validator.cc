#include "services/manifest/format/manifest_validator.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/core/digester.h"
#include "services/manifest/format/json_fields.h"
#include "services/manifest/format/type_text.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

struct KnownType {
  absl::string_view name;
  ManifestKind kind;
  // Whether the content must have the field "mediaType".
  bool names_itself;
};

constexpr KnownType kKnownTypes[] = {
    {"application/vnd.oci.image.manifest.v1+json", ManifestKind::kImage, false},
    {"application/vnd.oci.image.index.v1+json", ManifestKind::kIndex, false},
    {"application/vnd.docker.distribution.manifest.v2+json", ManifestKind::kImage, true},
    {"application/vnd.docker.distribution.manifest.list.v2+json", ManifestKind::kIndex, true},
};

constexpr absl::string_view kRetiredTypes[] = {
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.oci.artifact.manifest.v1+json",
};

constexpr absl::string_view kOciNondistributableLayer = "application/vnd.oci.image.layer.nondistributable.v1.tar";
constexpr absl::string_view kDockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar";

absl::StatusOr<MediaType> TypeOf(const std::optional<MediaType>& content_type, const ParsedManifest& manifest) {
  if (!manifest.media_type.has_value()) {
    if (!content_type.has_value()) return InvalidField("mediaType", "is missing, and there is no Content-Type");
    return *content_type;
  }
  absl::StatusOr<MediaType> own = MediaType::Parse(*manifest.media_type);
  if (!own.ok()) return InvalidField("mediaType", absl::StrCat("is invalid: ", own.status().message()));
  if (content_type.has_value() && !(*own == *content_type)) {
    return InvalidField("mediaType", absl::StrCat("is ", QuotedInput(own->ToString()), ", but the Content-Type is ",
                                                  QuotedInput(content_type->ToString())));
  }
  return own;
}

absl::Status CheckTypes(const std::optional<std::vector<Descriptor>>& descriptors) {
  if (!descriptors.has_value()) return absl::OkStatus();
  for (const Descriptor& descriptor : *descriptors) {
    RETURN_IF_ERROR(CheckTypeText(absl::StrCat(descriptor.field, ".mediaType"), descriptor.media_type));
  }
  return absl::OkStatus();
}

absl::Status CheckTypes(const ParsedManifest& manifest) {
  if (manifest.artifact_type.has_value()) RETURN_IF_ERROR(CheckTypeText("artifactType", *manifest.artifact_type));
  if (manifest.config.has_value()) RETURN_IF_ERROR(CheckTypeText("config.mediaType", manifest.config->media_type));
  if (manifest.subject.has_value()) RETURN_IF_ERROR(CheckTypeText("subject.mediaType", manifest.subject->media_type));
  RETURN_IF_ERROR(CheckTypes(manifest.layers));
  return CheckTypes(manifest.manifests);
}

absl::StatusOr<const KnownType*> Recognise(const MediaType& type) {
  for (const KnownType& known : kKnownTypes) {
    if (known.name == type.ToString()) return &known;
  }
  const bool retired = absl::c_linear_search(kRetiredTypes, type.ToString());
  return OciError(
      OciErrorCode::kManifestInvalid,
      absl::StrCat("manifests of the type ", QuotedInput(type.ToString()), " are not ",
                   retired ? "supported any more: push an OCI image manifest or Docker schema 2" : "supported"),
      "mediaType");
}

// No manifest may be an image for some clients and an index for others (CVE-2021-41190).
absl::Status CheckShape(const KnownType& type, const ParsedManifest& manifest) {
  if (manifest.schema_version != 2) return InvalidField("schemaVersion", "must be 2");
  if (type.names_itself && !manifest.media_type.has_value()) return InvalidField("mediaType", "is missing");
  if (manifest.has_fs_layers) return InvalidField("fsLayers", "belongs to Docker's schema 1");
  if (type.kind == ManifestKind::kImage) {
    if (!manifest.config.has_value()) return InvalidField("config", "is missing");
    if (manifest.manifests.has_value()) return InvalidField("manifests", "does not belong in an image manifest");
    return absl::OkStatus();
  }
  if (manifest.config.has_value()) return InvalidField("config", "does not belong in an index");
  if (manifest.layers.has_value()) return InvalidField("layers", "does not belong in an index");
  if (!manifest.manifests.has_value()) return InvalidField("manifests", "is missing");
  return absl::OkStatus();
}

absl::Status CheckData(const Descriptor& descriptor) {
  if (!descriptor.data.has_value()) return absl::OkStatus();
  const std::string field = absl::StrCat(descriptor.field, ".data");
  if (descriptor.data->size() != descriptor.size_bytes) {
    return InvalidField(
        field, absl::StrCat("has ", descriptor.data->size(), " bytes, but the size is ", descriptor.size_bytes));
  }
  if (!(ComputeDigest(descriptor.digest.algorithm(), *descriptor.data) == descriptor.digest)) {
    return InvalidField(field, "does not have the digest");
  }
  return absl::OkStatus();
}

bool IsNonDistributable(const Descriptor& layer) {
  const std::string& type = layer.media_type;
  return layer.has_urls || absl::StartsWith(type, kOciNondistributableLayer) ||
         absl::StartsWith(type, kDockerForeignLayer);
}

// Collects the needs and merges those of the same digest.
class NeedList {
 public:
  void Add(const Descriptor& descriptor, NeedKind kind, bool may_be_missing) {
    needs_.push_back({.field = descriptor.field,
                      .digest = descriptor.digest,
                      .size_bytes = descriptor.size_bytes,
                      .kind = kind,
                      .may_be_missing = may_be_missing});
  }

  // `one_size`: needs of the same digest must have the same size. Otherwise the first one counts.
  absl::StatusOr<std::vector<ManifestNeed>> Take(bool one_size) && {
    std::stable_sort(needs_.begin(), needs_.end(),
                     [](const ManifestNeed& a, const ManifestNeed& b) { return a.digest < b.digest; });
    std::vector<ManifestNeed> distinct;
    for (ManifestNeed& need : needs_) {
      if (distinct.empty() || !(distinct.back().digest == need.digest)) {
        distinct.push_back(std::move(need));
        continue;
      }
      ManifestNeed& first = distinct.back();
      if (one_size && first.size_bytes != need.size_bytes) {
        return InvalidField(absl::StrCat(need.field, ".size"), absl::StrCat("differs from that of ", first.field));
      }
      first.may_be_missing = first.may_be_missing && need.may_be_missing;
    }
    return distinct;
  }

 private:
  std::vector<ManifestNeed> needs_;
};

absl::StatusOr<std::vector<ManifestNeed>> CollectNeeds(const ParsedManifest& manifest, bool one_size) {
  NeedList needs;
  if (manifest.config.has_value()) {
    RETURN_IF_ERROR(CheckData(*manifest.config));
    needs.Add(*manifest.config, NeedKind::kConfig, /*may_be_missing=*/false);
  }
  if (manifest.layers.has_value()) {
    for (const Descriptor& layer : *manifest.layers) {
      RETURN_IF_ERROR(CheckData(layer));
      needs.Add(layer, NeedKind::kLayer, IsNonDistributable(layer));
    }
  }
  if (manifest.manifests.has_value()) {
    for (const Descriptor& child : *manifest.manifests) {
      RETURN_IF_ERROR(CheckData(child));
      needs.Add(child, NeedKind::kChild, /*may_be_missing=*/false);
    }
  }
  return std::move(needs).Take(one_size);
}

std::string ArtifactTypeOf(const ParsedManifest& manifest) {
  if (manifest.artifact_type.has_value()) return *manifest.artifact_type;
  return manifest.config.has_value() ? manifest.config->media_type : "";
}

absl::StatusOr<ValidManifest> Validate(MediaType media_type, ParsedManifest manifest, bool one_size) {
  ASSIGN_OR_RETURN(const KnownType* const type, Recognise(media_type));
  RETURN_IF_ERROR(CheckShape(*type, manifest));
  ASSIGN_OR_RETURN(std::vector<ManifestNeed> needs, CollectNeeds(manifest, one_size));
  std::optional<Digest> subject;
  if (manifest.subject.has_value()) {
    RETURN_IF_ERROR(CheckData(*manifest.subject));
    subject = manifest.subject->digest;
  }
  return ValidManifest{.kind = type->kind,
                       .media_type = std::move(media_type),
                       .needs = std::move(needs),
                       .subject = std::move(subject),
                       .artifact_type = ArtifactTypeOf(manifest),
                       .annotations = std::move(manifest.annotations)};
}

}  // namespace

absl::StatusOr<ValidManifest> ValidateManifest(const std::optional<MediaType>& content_type, ParsedManifest manifest) {
  ASSIGN_OR_RETURN(MediaType media_type, TypeOf(content_type, manifest));
  RETURN_IF_ERROR(CheckTypes(manifest));
  return Validate(std::move(media_type), std::move(manifest), /*one_size=*/true);
}

absl::StatusOr<ValidManifest> ValidateCachedManifest(const std::optional<MediaType>& content_type,
                                                     ParsedManifest manifest) {
  ASSIGN_OR_RETURN(MediaType media_type, TypeOf(content_type, manifest));
  return Validate(std::move(media_type), std::move(manifest), /*one_size=*/false);
}

absl::StatusOr<ValidManifest> ValidateStoredManifest(MediaType media_type, ParsedManifest manifest) {
  return Validate(std::move(media_type), std::move(manifest), /*one_size=*/false);
}

}  // namespace entrepot::manifest
