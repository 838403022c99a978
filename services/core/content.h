#ifndef ENTREPOT_SERVICES_CORE_CONTENT_H_
#define ENTREPOT_SERVICES_CORE_CONTENT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/core/digest.h"
#include "services/core/media_type.h"
#include "services/core/preconditions.h"
#include "services/core/reference.h"
#include "services/core/storage_key.h"
#include "services/core/tag.h"

// The values that the manifest service receives and returns, for the gateway and for the service itself.
namespace entrepot {

// Bytes with their digest and the key that they are stored under. Sealing an upload makes a Blob: its digest is
// verified then, and its bytes are durable.
struct Blob {
  Digest digest;
  uint64_t size_bytes = 0;
  StorageKey storage_key;
};

struct ManifestPut {
  // A tag, or the digest that the content must have (else DIGEST_INVALID).
  Reference reference;
  // The Content-Type. If absent, the `mediaType` of the content counts.
  std::optional<MediaType> media_type;
  std::string content;
  // Additional tags for the manifest.
  std::vector<Tag> tags;
  // On what `reference` names when the manifest is written.
  Preconditions preconditions = {};
  // The upstream that the repository caches. Empty: the repository is hosted.
  std::string cache_of = {};
};

struct ManifestPutResult {
  Digest digest;
  std::optional<Digest> subject;
};

struct StoredManifest {
  Digest digest;
  std::string media_type;
  // Empty if only metadata was requested.
  std::string content;
  uint64_t size_bytes = 0;
};

struct TagPage {
  std::vector<std::string> tags;
  bool more = false;
};

struct RepositoryPage {
  std::vector<std::string> repositories;
  bool more = false;
};

// The contents of a deleted repository.
struct RepositoryDeletion {
  uint64_t manifests = 0;
  uint64_t tags = 0;
  // Links to blobs. The bytes of a blob stay while another repository needs them.
  uint64_t blobs = 0;
};

struct Referrer {
  Digest digest;
  std::string media_type;
  uint64_t size_bytes = 0;
  std::string artifact_type;
  std::map<std::string, std::string> annotations;
};

struct ReferrerPage {
  std::vector<Referrer> referrers;
  // Set if more referrers follow: pass it as `last`. With a filter it may be behind the last listed referrer.
  std::optional<Digest> next;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_CONTENT_H_
