#ifndef ENTREPOT_SERVICES_CORE_CONTENT_H_
#define ENTREPOT_SERVICES_CORE_CONTENT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/core/digest.h"
#include "services/core/media_type.h"
#include "services/core/reference.h"
#include "services/core/storage_key.h"
#include "services/core/tag.h"

// What the manifest service takes and gives, as the gateway and the service both see it.
namespace entrepot {

// Bytes with their digest and the key that they are stored under. Sealing an upload makes one: its digest is then
// verified, and its bytes are durable.
struct Blob {
  Digest digest;
  uint64_t size_bytes = 0;
  StorageKey storage_key;
};

struct ManifestPut {
  // A tag, or the digest that the content must have (DIGEST_INVALID where it does not).
  Reference reference;
  // The Content-Type; absent: that of the content's `mediaType`.
  std::optional<MediaType> media_type;
  std::string content;
  // Further tags.
  std::vector<Tag> tags;
};

struct ManifestPutResult {
  Digest digest;
  std::optional<Digest> subject;
};

struct StoredManifest {
  Digest digest;
  std::string media_type;
  // Empty where only metadata was asked for.
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

// What went with a repository.
struct RepositoryDeletion {
  uint64_t manifests = 0;
  uint64_t tags = 0;
  // Links to blobs: their bytes stay for as long as another repository needs them.
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
  // Set where more follow: pass it as `last`. With a filter it may lie behind the last referrer listed.
  std::optional<Digest> next;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_CONTENT_H_
