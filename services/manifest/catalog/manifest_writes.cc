#include "services/manifest/catalog/manifest_writes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/format/manifest_parser.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/review_queue.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::ManifestRecord;
using storage::v1::ManifestUseRecord;
using storage::v1::ReferenceRecord;
using storage::v1::ReferrerRecord;

void AddDigests(const std::optional<std::vector<Descriptor>>& descriptors, std::set<Digest>* digests) {
  if (!descriptors.has_value()) return;
  for (const Descriptor& descriptor : *descriptors) digests->insert(descriptor.digest);
}

}  // namespace

void WriteManifest(kv::KvTransaction& transaction, const RepositoryName& repository, const Digest& digest,
                   const std::string& content, const ValidManifest& manifest, const std::vector<FoundNeed>& needs,
                   bool cached, absl::Time now) {
  ManifestRecord record;
  record.set_media_type(manifest.media_type.ToString());
  record.set_content(content);
  record.set_artifact_type(manifest.artifact_type);
  *record.mutable_pushed_at() = ToTimestamp(now);
  record.set_cached(cached);
  if (cached) {
    ManifestUseRecord use;
    *use.mutable_used_at() = ToTimestamp(now);
    kv::WriteRecord(transaction, keys::ManifestUse(repository, digest), use);
  }
  if (manifest.subject.has_value()) {
    record.set_subject(manifest.subject->ToString());
    ReferrerRecord referrer;
    referrer.set_media_type(manifest.media_type.ToString());
    referrer.set_size_bytes(content.size());
    referrer.set_artifact_type(manifest.artifact_type);
    referrer.mutable_annotations()->insert(manifest.annotations.begin(), manifest.annotations.end());
    kv::WriteRecord(transaction, keys::Referrer(repository, *manifest.subject, digest), referrer);
  }
  kv::WriteRecord(transaction, keys::Manifest(repository, digest), record);
  for (const FoundNeed& need : needs) {
    ReferenceRecord reference;
    reference.set_to_manifest(need.is_manifest);
    reference.set_absent(need.is_absent);
    kv::WriteRecord(transaction, keys::Reference(need.digest, repository, digest), reference);
  }
}

absl::StatusOr<std::set<Digest>> ReferencesOf(const Digest& digest, const ManifestRecord& record) {
  const absl::StatusOr<ParsedManifest> manifest = ParseManifest(record.content());
  if (!manifest.ok()) {
    return absl::DataLossError(
        absl::StrCat("the stored manifest ", digest.ToString(), " cannot be read: ", manifest.status().message()));
  }
  std::set<Digest> references;
  if (manifest->config.has_value()) references.insert(manifest->config->digest);
  AddDigests(manifest->layers, &references);
  AddDigests(manifest->manifests, &references);
  return references;
}

absl::Status RemoveManifest(kv::KvTransaction& transaction, const RepositoryName& repository, const Digest& digest,
                            const std::string& subject, const std::set<Digest>& references, absl::Time now) {
  if (!subject.empty()) {
    ASSIGN_OR_RETURN(const Digest referred, Digest::Parse(subject));
    transaction.Delete(keys::Referrer(repository, referred, digest));
  }
  for (const Digest& reference : references) {
    transaction.Delete(keys::Reference(reference, repository, digest));
    RETURN_IF_ERROR(QueueForReview(transaction, reference, now));
  }
  transaction.Delete(keys::Manifest(repository, digest));
  transaction.Delete(keys::ManifestUse(repository, digest));
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
