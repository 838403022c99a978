#include "gateway/api/uploads/upload_start_handler.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/api/uploads/upload_append.h"
#include "gateway/api/uploads/upload_completion.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

// The number of repositories of a token in which a blob is searched. Each takes a transaction.
constexpr size_t kMountSourcesMax = 10;

// nullopt if the parameter is absent.
absl::StatusOr<std::optional<Digest>> DigestParameter(const Query& query, absl::string_view name) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, query.Single(name, OciErrorCode::kDigestInvalid));
  if (!text.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(*text));
  return digest;
}

// The blob to mount; nullopt if the parameter is absent or empty.
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

absl::Status NothingToMount() { return OciError(OciErrorCode::kBlobUnknown, "no readable repository has this blob"); }

// The repository to mount from. kNotFound if its name is invalid.
absl::StatusOr<std::optional<RepositoryName>> SourceParameter(const Query& query) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, query.Single("from", OciErrorCode::kNameInvalid));
  if (!text.has_value() || text->empty()) return std::nullopt;
  absl::StatusOr<RepositoryName> name = RepositoryName::Parse(*text);
  if (!name.ok()) return NothingToMount();
  return *std::move(name);
}

// The repositories to search for the blob: `source` if there is one, otherwise up to kMountSourcesMax repositories of
// the token. The token must grant pull on each of them. A registry without accounts has no tokens: without `source`,
// the one element is then nullopt, which stands for all repositories.
std::vector<std::optional<RepositoryName>> MountSources(const RegistryRequest& request,
                                                        const std::optional<RepositoryName>& source) {
  if (request.token == nullptr) return {source};
  std::vector<std::optional<RepositoryName>> sources;
  if (source.has_value()) {
    if (request.token->Grants(Permission::kPull, source->ToString())) sources.emplace_back(source);
    return sources;
  }
  for (const std::string& readable : request.token->ReadableRepositories(kMountSourcesMax)) {
    absl::StatusOr<RepositoryName> name = RepositoryName::Parse(readable);
    if (name.ok()) sources.emplace_back(*std::move(name));
  }
  return sources;
}

}  // namespace

UploadStartHandler::UploadStartHandler(BlobBackend* blobs, ManifestBackend* manifests, uint64_t blob_bytes_max,
                                       const std::shared_ptr<prometheus::Registry>& registry)
    : blobs_(blobs),
      manifests_(manifests),
      unauthenticated_(std::make_shared<UnauthenticatedUploads>(manifests)),
      blob_bytes_max_(blob_bytes_max) {
  auto& mounts = prometheus::BuildCounter()
                     .Name("entrepot_gateway_mounts_total")
                     .Help("Requests to mount a blob from another repository")
                     .Register(*registry);
  mounted_ = &mounts.Add({{"result", "mounted"}});
  not_mounted_ = &mounts.Add({{"result", "unknown"}});
}

HandlerResult UploadStartHandler::Handle(RegistryRequest& request) const {
  CO_ASSIGN_OR_RETURN(const Query query, Query::Parse(request.http.query));
  CO_ASSIGN_OR_RETURN(const std::optional<Digest> mount, MountParameter(query));
  CO_RETURN_IF_ERROR(query.Single("from", OciErrorCode::kNameInvalid).status());
  CO_ASSIGN_OR_RETURN(const std::optional<Digest> digest, DigestParameter(query, "digest"));
  CO_ASSIGN_OR_RETURN(const DigestAlgorithm algorithm, AlgorithmParameter(query));
  if (request.token == nullptr) CO_RETURN_IF_ERROR(co_await unauthenticated_->Check(request.call));
  // A link of what was pushed here would make the cache's repository a hosted one.
  if (mount.has_value() && request.call.cache_of.empty()) {
    absl::StatusOr<http::Response> mounted = co_await Mount(request, *mount, query);
    (mounted.ok() ? mounted_ : not_mounted_)->Increment();
    if (!absl::IsNotFound(mounted.status())) co_return mounted;
  }
  if (digest.has_value()) co_return co_await UploadWhole(request, *digest);
  co_return co_await Start(request, mount.has_value() ? mount->algorithm() : algorithm);
}

HandlerResult UploadStartHandler::Start(RegistryRequest& request, DigestAlgorithm algorithm) const {
  CO_ASSIGN_OR_RETURN(const Upload upload, co_await blobs_->StartUpload(request.call, request.repository, algorithm));
  http::Response response;
  response.status = 202;
  AddUploadFields(request.repository, upload, &response);
  co_return response;
}

HandlerResult UploadStartHandler::Mount(RegistryRequest& request, const Digest& digest, const Query& query) const {
  CO_ASSIGN_OR_RETURN(const std::optional<RepositoryName> source, SourceParameter(query));
  absl::Status mounted = NothingToMount();
  for (const std::optional<RepositoryName>& candidate : MountSources(request, source)) {
    mounted = (co_await manifests_->MountBlob(request.call, request.repository, digest, candidate)).status();
    if (!absl::IsNotFound(mounted)) break;
  }
  CO_RETURN_IF_ERROR(mounted);
  co_return BlobCreated(request.repository, digest);
}

HandlerResult UploadStartHandler::UploadWhole(RegistryRequest& request, const Digest& digest) const {
  CO_ASSIGN_OR_RETURN(const Upload upload,
                      co_await blobs_->StartUpload(request.call, request.repository, digest.algorithm()));
  const absl::StatusOr<Blob> sealed = co_await AppendWhole(request, upload.id, digest);
  if (!sealed.ok()) {
    // The client does not know the session and cannot continue it.
    (void)co_await blobs_->CancelUpload(request.call, request.repository, upload.id);
    co_return sealed.status();
  }
  co_return co_await CommitUpload(*blobs_, *manifests_, request, upload.id, *sealed);
}

boost::asio::awaitable<absl::StatusOr<Blob>> UploadStartHandler::AppendWhole(RegistryRequest& request,
                                                                             const UploadId& id,
                                                                             const Digest& digest) const {
  CO_ASSIGN_OR_RETURN(const auto stream, co_await AppendRequestBody(*blobs_, request, id, &digest, blob_bytes_max_));
  co_return co_await stream->FinishAndSeal(digest);
}

std::string MountSource(absl::string_view query) {
  const absl::StatusOr<Query> parsed = Query::Parse(query);
  if (!parsed.ok() || !parsed->Has("mount")) return "";
  const absl::StatusOr<std::optional<std::string>> source = parsed->Single("from", OciErrorCode::kNameInvalid);
  if (!source.ok() || !source->has_value()) return "";
  return RepositoryName::Parse(**source).ok() ? **source : "";
}

}  // namespace entrepot::gateway::api
