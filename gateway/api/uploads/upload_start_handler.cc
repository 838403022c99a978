#include "gateway/api/uploads/upload_start_handler.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/api/uploads/upload_append.h"
#include "gateway/api/uploads/upload_completion.h"
#include "gateway/api/uploads/upload_response.h"
#include "services/core/digest.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

// Of a token's repositories that are looked in for a blob: each is a transaction.
constexpr size_t kMountSourcesMax = 10;

// nullopt where the parameter is absent.
absl::StatusOr<std::optional<Digest>> DigestParameter(const Query& query, absl::string_view name) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, query.Single(name, OciErrorCode::kDigestInvalid));
  if (!text.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(*text));
  return digest;
}

// The blob to mount. Without a digest there is none, and a session is started.
absl::StatusOr<std::optional<Digest>> MountParameter(const Query& query) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, query.Single("mount", OciErrorCode::kDigestInvalid));
  if (text == "") return std::nullopt;
  return DigestParameter(query, "mount");
}

absl::StatusOr<DigestAlgorithm> AlgorithmParameter(const Query& query) {
  ASSIGN_OR_RETURN(const std::optional<std::string> name,
                   query.Single("digest-algorithm", OciErrorCode::kDigestInvalid));
  if (!name.has_value()) return DigestAlgorithm::kSha256;
  return ParseDigestAlgorithm(*name);
}

absl::Status NothingToMount() {
  return OciError(OciErrorCode::kBlobUnknown, "no repository that can be read has this blob");
}

// The repository to mount from. One that no repository can have has nothing to mount.
absl::StatusOr<std::optional<RepositoryName>> SourceParameter(const Query& query) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, query.Single("from", OciErrorCode::kNameInvalid));
  if (!text.has_value() || text->empty()) return std::nullopt;
  absl::StatusOr<RepositoryName> name = RepositoryName::Parse(*text);
  if (!name.ok()) return NothingToMount();
  return *std::move(name);
}

// Where to look for the blob: only where the caller may read. nullopt, where there are no accounts, is everywhere.
std::vector<std::optional<RepositoryName>> MountSources(const RegistryRequest& request,
                                                        const std::optional<RepositoryName>& source) {
  if (request.token == nullptr) return {source};
  std::vector<std::optional<RepositoryName>> sources;
  if (source.has_value()) {
    if (request.token->Grants(Need::kPull, source->ToString())) sources.emplace_back(source);
    return sources;
  }
  for (const std::string& readable : request.token->ReadableRepositories(kMountSourcesMax)) {
    absl::StatusOr<RepositoryName> name = RepositoryName::Parse(readable);
    if (name.ok()) sources.emplace_back(*std::move(name));
  }
  return sources;
}

}  // namespace

UploadsHandler::UploadsHandler(BlobBackend* blobs, ManifestBackend* manifests, uint64_t blob_bytes_max,
                               const std::shared_ptr<prometheus::Registry>& registry)
    : blobs_(blobs), manifests_(manifests), blob_bytes_max_(blob_bytes_max) {
  auto& mounts = prometheus::BuildCounter()
                     .Name("entrepot_gateway_mounts_total")
                     .Help("Requests to mount a blob of another repository")
                     .Register(*registry);
  mounted_ = &mounts.Add({{"result", "mounted"}});
  not_mounted_ = &mounts.Add({{"result", "unknown"}});
}

HandlerResult UploadsHandler::Handle(RegistryRequest& request) const {
  CO_ASSIGN_OR_RETURN(const Query query, Query::Parse(request.http.query));
  CO_ASSIGN_OR_RETURN(const std::optional<Digest> mount, MountParameter(query));
  CO_RETURN_IF_ERROR(query.Single("from", OciErrorCode::kNameInvalid).status());
  CO_ASSIGN_OR_RETURN(const std::optional<Digest> digest, DigestParameter(query, "digest"));
  CO_ASSIGN_OR_RETURN(const DigestAlgorithm algorithm, AlgorithmParameter(query));
  if (mount.has_value()) {
    absl::StatusOr<http::Response> mounted = co_await Mount(request, *mount, query);
    (mounted.ok() ? mounted_ : not_mounted_)->Increment();
    if (!absl::IsNotFound(mounted.status())) co_return mounted;
  }
  if (digest.has_value()) co_return co_await TakeWhole(request, *digest);
  co_return co_await Start(request, mount.has_value() ? mount->algorithm() : algorithm);
}

HandlerResult UploadsHandler::Start(RegistryRequest& request, DigestAlgorithm algorithm) const {
  CO_ASSIGN_OR_RETURN(const Upload upload, co_await blobs_->StartUpload(request.call, request.repository, algorithm));
  http::Response response;
  response.status = 202;
  AddUploadFields(request.repository, upload, &response);
  co_return response;
}

HandlerResult UploadsHandler::Mount(RegistryRequest& request, const Digest& digest, const Query& query) const {
  CO_ASSIGN_OR_RETURN(const std::optional<RepositoryName> source, SourceParameter(query));
  absl::Status mounted = NothingToMount();
  for (const std::optional<RepositoryName>& candidate : MountSources(request, source)) {
    mounted = (co_await manifests_->MountBlob(request.call, request.repository, digest, candidate)).status();
    if (!absl::IsNotFound(mounted)) break;
  }
  CO_RETURN_IF_ERROR(mounted);
  co_return BlobCreated(request.repository, digest);
}

HandlerResult UploadsHandler::TakeWhole(RegistryRequest& request, const Digest& digest) const {
  CO_ASSIGN_OR_RETURN(const Upload upload,
                      co_await blobs_->StartUpload(request.call, request.repository, digest.algorithm()));
  const auto stream = co_await AppendRequestBody(*blobs_, request, upload.id, digest.algorithm(), blob_bytes_max_);
  if (!stream.ok()) {
    // Nobody knows of the session: there is no one to go on with it.
    (void)co_await blobs_->CancelUpload(request.call, request.repository, upload.id);
    co_return stream.status();
  }
  CO_ASSIGN_OR_RETURN(const SealedUpload sealed, co_await (*stream)->FinishAndSeal(digest));
  co_return co_await CommitUpload(*blobs_, *manifests_, request, upload.id, sealed);
}

}  // namespace entrepot::gateway::api
