#ifndef ENTREPOT_SERVICES_UPSTREAM_STORE_CACHE_STORE_H_
#define ENTREPOT_SERVICES_UPSTREAM_STORE_CACHE_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/types/v1/cache_room.pb.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/fetch_claim.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/room_request.h"
#include "services/core/tag.h"

namespace entrepot::upstream {

// Stages the bytes of one blob. Used by one thread at a time. After an error of Append(), or after Commit(), nothing
// more may be called. If it is destroyed without a successful Commit(), the bytes are dropped. Blocks on the disk.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // Makes the bytes a blob of the repository, durably. kInvalidArgument (DIGEST_INVALID): they have another digest.
  virtual absl::Status Commit() = 0;
};

// The registry's own content, as the cache reads and writes it: the blob and the manifest service. Repositories are
// those of CachedRepository::repository. Thread-safe; calls block. Errors are those of the services.
class CacheStore {
 public:
  virtual ~CacheStore() = default;

  // kNotFound: the repository does not have it.
  virtual absl::StatusOr<StoredManifest> FindManifest(const RepositoryName& repository, const Reference& reference,
                                                      bool metadata_only) = 0;
  // Stores a manifest whose blobs and children may all be absent, and makes the tag, if any, name it. Marks a
  // repository that did not exist as a cache of `upstream`. kFailedPrecondition: the repository exists and is not a
  // cache. kInvalidArgument (MANIFEST_INVALID): not a manifest that this registry can keep.
  virtual absl::StatusOr<Digest> PutManifest(const RepositoryName& repository, const std::string& upstream,
                                             const std::string& media_type, const std::string& content,
                                             const std::optional<Tag>& tag) = 0;

  // The blob, if the repository has it, or if a manifest of the repository needs it and another cache of the same
  // upstream has it: then the repository has it from now on. What only a hosted repository or another upstream's cache
  // has is not found: to know a digest gives no access. kNotFound (BLOB_UNKNOWN) otherwise.
  virtual absl::StatusOr<Blob> FindBlob(const RepositoryName& repository, const Digest& digest) = 0;
  // Makes the repository a cache of `upstream` as PutManifest() does, when the blob is committed: a blob may be asked
  // for without a manifest.
  virtual absl::StatusOr<std::unique_ptr<BlobWriter>> WriteBlob(const RepositoryName& repository,
                                                                const std::string& upstream, const Digest& digest) = 0;

  // Makes, renews or gives up a claim, which is kept with the content. Returns whether its holder has it now: not if
  // another one has it. kInvalidArgument: a claim cannot be like that (services/manifest/catalog/fetch_claims.h).
  virtual absl::StatusOr<bool> ClaimFetch(const FetchClaim& claim) = 0;

  virtual absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t limit, absl::string_view last) = 0;

  // Measures what only the caches of `request.upstream` need, and evicts images as the request asks. Reads all records
  // of the registry at a bounded pace, so it may take minutes. Calls run one after another. `before` and `after` count
  // what is referred to; the collector gives the bytes back later. An upstream without caches needs nothing: that is no
  // error. An image is a manifest that no index of its repository has as child, with its children and referrers. By
  // `bytes_max`, an image is evicted only if that frees bytes, and not if it was used in the last minutes; so `after`
  // may be above `bytes_max`. kInvalidArgument: no upstream, or a reference without a repository. kNotFound
  // (NAME_UNKNOWN, MANIFEST_UNKNOWN): the repository is not a cache of the upstream, or has no such manifest.
  // kCancelled: the service stops; part may have been evicted.
  virtual absl::StatusOr<types::v1::CacheEviction> MakeRoom(const RoomRequest& request) = 0;
  // Makes running and later calls of MakeRoom() return kCancelled soon. For the end of a process.
  virtual void Stop() = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_STORE_CACHE_STORE_H_
