#include "services/standalone/local_cache_store.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "services/core/caller.h"
#include "services/core/upload.h"
#include "services/status/status_macros.h"
#include "services/upstream/cached_put.h"

namespace entrepot::standalone {
namespace {

class LocalBlobWriter : public upstream::BlobWriter {
 public:
  LocalBlobWriter(blob::UploadSessions* sessions, manifest::RegistryCatalog* catalog, UploadOwner owner,
                  std::string upstream, const Digest& digest, UploadId id,
                  std::unique_ptr<blob::UploadAppender> appender)
      : sessions_(*sessions),
        catalog_(*catalog),
        owner_(std::move(owner)),
        upstream_(std::move(upstream)),
        digest_(digest),
        id_(std::move(id)),
        appender_(std::move(appender)) {}

  ~LocalBlobWriter() override {
    if (sealed_) return;
    appender_.reset();
    sessions_.Cancel(owner_, id_).IgnoreError();
  }

  absl::Status Append(absl::string_view bytes) override { return appender_->Append(bytes); }

  absl::Status Commit() override {
    const absl::StatusOr<Blob> blob = appender_->FinishAndSeal(digest_);
    // It holds the session.
    appender_.reset();
    RETURN_IF_ERROR(blob.status());
    // From here on the session cannot be cancelled. If it is not committed, it expires.
    sealed_ = true;
    RETURN_IF_ERROR(catalog_.blobs().Commit(Caller(), owner_.repository, *blob, upstream_).status());
    sessions_.Forget(owner_, id_).IgnoreError();
    return absl::OkStatus();
  }

 private:
  blob::UploadSessions& sessions_;
  manifest::RegistryCatalog& catalog_;
  const UploadOwner owner_;
  const std::string upstream_;
  const Digest digest_;
  const UploadId id_;
  std::unique_ptr<blob::UploadAppender> appender_;
  bool sealed_ = false;
};

class LocalCacheStore : public upstream::CacheStore {
 public:
  LocalCacheStore(blob::UploadSessions* sessions, manifest::RegistryCatalog* catalog,
                  manifest::Maintenance* maintenance)
      : sessions_(*sessions), catalog_(*catalog), maintenance_(*maintenance) {}

  absl::StatusOr<StoredManifest> FindManifest(const RepositoryName& repository, const Reference& reference,
                                              bool metadata_only) override {
    return catalog_.manifests().Get(Caller(), repository, reference, metadata_only);
  }

  absl::StatusOr<Digest> PutManifest(const RepositoryName& repository, const std::string& upstream,
                                     const std::string& media_type, const std::string& content,
                                     const std::optional<Tag>& tag) override {
    ASSIGN_OR_RETURN(
        ManifestPutResult result,
        catalog_.manifests().Put(Caller(), repository, upstream::MakeCachedPut(upstream, media_type, content, tag)));
    return std::move(result.digest);
  }

  absl::StatusOr<Blob> FindBlob(const RepositoryName& repository, const Digest& digest) override {
    return catalog_.blobs().FindOrLinkNeeded(Caller(), repository, digest);
  }

  absl::StatusOr<std::unique_ptr<upstream::BlobWriter>> WriteBlob(const RepositoryName& repository,
                                                                  const std::string& upstream,
                                                                  const Digest& digest) override {
    UploadOwner owner{.repository = repository, .account = kUpstreamAccount};
    ASSIGN_OR_RETURN(const Upload upload, sessions_.Start(owner, digest.algorithm()));
    absl::StatusOr<std::unique_ptr<blob::UploadAppender>> appender =
        sessions_.Append(owner, upload.id, {.offset_bytes = 0, .algorithm = digest.algorithm()});
    if (!appender.ok()) {
      sessions_.Cancel(owner, upload.id).IgnoreError();
      return appender.status();
    }
    return std::make_unique<LocalBlobWriter>(&sessions_, &catalog_, std::move(owner), upstream, digest, upload.id,
                                             *std::move(appender));
  }

  absl::StatusOr<bool> ClaimFetch(const FetchClaim& claim) override { return catalog_.fetch_claims().Claim(claim); }

  absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t limit, absl::string_view last) override {
    return catalog_.lists().Tags(Caller(), repository, limit, last);
  }

  absl::StatusOr<types::v1::CacheEviction> MakeRoom(const RoomRequest& request) override {
    absl::StatusOr<types::v1::CacheEviction> eviction;
    absl::Notification done;
    maintenance_.MakeRoom(request, [&](absl::StatusOr<types::v1::CacheEviction> result) {
      eviction = std::move(result);
      done.Notify();
    });
    done.WaitForNotification();
    return eviction;
  }
  // The end of the catalog's work ends it.
  void Stop() override {}

 private:
  blob::UploadSessions& sessions_;
  manifest::RegistryCatalog& catalog_;
  manifest::Maintenance& maintenance_;
};

}  // namespace

std::unique_ptr<upstream::CacheStore> MakeLocalCacheStore(blob::UploadSessions* sessions,
                                                          manifest::RegistryCatalog* catalog,
                                                          manifest::Maintenance* maintenance) {
  return std::make_unique<LocalCacheStore>(sessions, catalog, maintenance);
}

}  // namespace entrepot::standalone
