#include "services/upstream/client/http_upstream_registry.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/core/digester.h"
#include "services/core/repository_name.h"
#include "services/outbound/url.h"
#include "services/runtime/files/secret_file.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/client/content_lists.h"
#include "services/upstream/client/content_range.h"
#include "services/upstream/client/manifest_media_type.h"
#include "services/upstream/client/next_page.h"
#include "services/upstream/client/registry_client.h"
#include "services/upstream/exchange/redirect_follower.h"
#include "services/upstream/exchange/registry_metrics.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

// What this registry accepts as a manifest (docs/limits.md).
constexpr size_t kManifestBytesMax = 4 * 1024 * 1024;
constexpr size_t kListBytesMax = 8 * 1024 * 1024;
constexpr size_t kPagesMax = 1000;
constexpr size_t kReferrersMax = 10'000;
constexpr absl::Duration kTimeout = absl::Seconds(30);
constexpr absl::string_view kIndexType = "application/vnd.oci.image.index.v1+json";

class HttpUpstreamRegistry : public UpstreamRegistry {
 public:
  HttpUpstreamRegistry(const config::v1::Upstream& entry, const outbound::Url& url, const Clock* clock,
                       const std::shared_ptr<prometheus::Registry>& registry, const MakeHop& make_hop)
      : client_(entry, url, clock, registry, make_hop) {}

  absl::StatusOr<UpstreamManifest> HeadManifest(const std::string& repository, const Reference& reference) override {
    return Count(RequestKind::kHeadManifest, [&] { return HeadManifestUncounted(repository, reference); });
  }
  absl::StatusOr<UpstreamManifest> GetManifest(const std::string& repository, const Reference& reference) override {
    return Count(RequestKind::kGetManifest,
                 [&] { return FetchManifest(RequestKind::kGetManifest, repository, reference); });
  }
  absl::StatusOr<UpstreamBlobHead> HeadBlob(const std::string& repository, const Digest& digest) override {
    return Count(RequestKind::kHeadBlob, [&] { return HeadBlobUncounted(repository, digest); });
  }
  absl::Status GetBlob(const std::string& repository, const Digest& digest, uint64_t offset_bytes,
                       const BlobSink& sink) override {
    return Count(RequestKind::kGetBlob, [&] { return GetBlobUncounted(repository, digest, offset_bytes, sink); });
  }
  absl::StatusOr<std::vector<std::string>> ListTags(const std::string& repository, size_t tags_max) override {
    return Count(RequestKind::kTags, [&] { return ListTagsUncounted(repository, tags_max); });
  }
  absl::StatusOr<std::vector<Referrer>> ListReferrers(const std::string& repository, const Digest& subject) override {
    return Count(RequestKind::kReferrers, [&] { return ListReferrersUncounted(repository, subject); });
  }

  RateLimit rate_limit() const override { return client_.pace().rate_limit(); }

  void Stop() override { client_.Stop(); }

 private:
  using Request = UpstreamRequests::Request;

  static absl::Status StatusOf(const absl::Status& status) { return status; }
  template <typename T>
  static absl::Status StatusOf(const absl::StatusOr<T>& result) {
    return result.status();
  }
  template <typename Call>
  std::invoke_result_t<Call> Count(RequestKind kind, const Call& call) {
    auto result = call();
    metrics_.Count(kind, StatusOf(result));
    return result;
  }

  absl::Status Invalid(absl::string_view problem) const {
    return UpstreamError(UpstreamFailure::kInvalid, absl::StrCat(name_, ": ", problem));
  }

  // `path` follows the repository: "/tags/list".
  absl::StatusOr<Request> MakeRequest(RequestKind kind, const std::string& method, const std::string& repository,
                                      absl::string_view path, absl::string_view accept) const {
    if (client_.stopped()) return absl::CancelledError("stopped");
    // The name becomes a part of the URL.
    if (!RepositoryName::Parse(repository).ok()) {
      return UpstreamError(UpstreamFailure::kNotFound,
                           absl::StrCat(name_, " cannot have a repository ", QuotedInput(repository)));
    }
    Request request{.kind = kind, .repository = repository, .http = {}};
    request.http.method = method;
    request.http.url = absl::StrCat(base_, repository, path);
    request.http.headers = {{"Accept", std::string(accept)}, {"Accept-Encoding", "identity"}};
    request.http.timeout = kTimeout;
    return request;
  }

  struct Document {
    Answer answer;
    std::string body;  // If the status is 2xx.
  };
  absl::StatusOr<Document> GetDocument(const Request& request, size_t bytes_max) {
    Document document;
    const auto too_large = [&] {
      return Invalid(absl::StrCat("the answer to ", request.http.url, " is larger than ", bytes_max, " bytes"));
    };
    const outbound::HopSink sink{.on_head =
                                     [&](const outbound::HopHead& head) {
                                       const auto length = ParseContentLength(head.Field("content-length"));
                                       return length.value_or(0) > bytes_max ? too_large() : absl::OkStatus();
                                     },
                                 .on_bytes =
                                     [&](absl::string_view bytes) {
                                       if (document.body.size() + bytes.size() > bytes_max) return too_large();
                                       absl::StrAppend(&document.body, bytes);
                                       return absl::OkStatus();
                                     }};
    ASSIGN_OR_RETURN(document.answer, requests_.Send(request, sink));
    return document;
  }

  // Checks what a manifest's answer, of HEAD or GET, must have.
  absl::Status CheckManifestAnswer(const Request& request, const Answer& answer) const {
    if (answer.head.status != 200) return requests_.ErrorOf(request, answer);
    if (IsWebPage(answer.head.Field("content-type"))) {
      return Invalid(absl::StrCat("the answer to ", request.http.url, " is a web page"));
    }
    const absl::string_view encoding = answer.head.Field("content-encoding");
    if (!encoding.empty() && !absl::EqualsIgnoreCase(encoding, "identity")) {
      return Invalid(absl::StrCat("the answer to ", request.http.url, " has a Content-Encoding"));
    }
    return absl::OkStatus();
  }

  static std::string ManifestPath(const Reference& reference) {
    return absl::StrCat("/manifests/", ReferenceToString(reference));
  }

  absl::StatusOr<UpstreamManifest> HeadManifestUncounted(const std::string& repository, const Reference& reference) {
    ASSIGN_OR_RETURN(const Request request, MakeRequest(RequestKind::kHeadManifest, "HEAD", repository,
                                                        ManifestPath(reference), kManifestAccept));
    ASSIGN_OR_RETURN(const Answer answer, requests_.Send(request, {}));
    RETURN_IF_ERROR(CheckManifestAnswer(request, answer));
    std::string media_type = ManifestMediaType(answer.head.Field("content-type"));
    const auto size_bytes = ParseContentLength(answer.head.Field("content-length"));
    const auto stated = Digest::Parse(answer.head.Field("docker-content-digest"));
    const Digest* const wanted = std::get_if<Digest>(&reference);
    if (wanted != nullptr && stated.ok() && stated->algorithm() == wanted->algorithm() && *stated != *wanted) {
      return Invalid(absl::StrCat("HEAD of ", wanted->ToString(), " has the digest ", stated->ToString()));
    }
    if ((wanted == nullptr && !stated.ok()) || media_type.empty() || size_bytes.value_or(0) == 0) {
      return Invalid("HEAD of a manifest has no digest, type or length");
    }
    return UpstreamManifest{.digest = wanted != nullptr ? *wanted : *stated,
                            .media_type = std::move(media_type),
                            .content = "",
                            .size_bytes = *size_bytes};
  }

  absl::StatusOr<UpstreamManifest> FetchManifest(RequestKind kind, const std::string& repository,
                                                 const Reference& reference) {
    ASSIGN_OR_RETURN(const Request request,
                     MakeRequest(kind, "GET", repository, ManifestPath(reference), kManifestAccept));
    ASSIGN_OR_RETURN(Document document, GetDocument(request, kManifestBytesMax));
    RETURN_IF_ERROR(CheckManifestAnswer(request, document.answer));
    if (document.body.empty()) return Invalid("a manifest is empty");
    const outbound::HopHead& head = document.answer.head;
    const auto stated = Digest::Parse(head.Field("docker-content-digest"));
    const Digest* wanted = std::get_if<Digest>(&reference);
    // What the upstream states about a tag's content finds bytes that were changed on their way.
    if (wanted == nullptr && stated.ok()) wanted = &*stated;
    const DigestAlgorithm algorithm = wanted != nullptr ? wanted->algorithm() : DigestAlgorithm::kSha256;
    Digest digest = ComputeDigest(algorithm, document.body);
    if (wanted != nullptr && digest != *wanted) {
      return Invalid(absl::StrCat("a manifest has the digest ", digest.ToString(), ", not ", wanted->ToString()));
    }
    const uint64_t size_bytes = document.body.size();
    return UpstreamManifest{.digest = std::move(digest),
                            .media_type = ManifestMediaType(head.Field("content-type"), document.body),
                            .content = std::move(document.body),
                            .size_bytes = size_bytes};
  }

  static std::string BlobPath(const Digest& digest) { return absl::StrCat("/blobs/", digest.ToString()); }

  absl::StatusOr<UpstreamBlobHead> HeadBlobUncounted(const std::string& repository, const Digest& digest) {
    ASSIGN_OR_RETURN(const Request request,
                     MakeRequest(RequestKind::kHeadBlob, "HEAD", repository, BlobPath(digest), "*/*"));
    ASSIGN_OR_RETURN(const Answer answer, requests_.Send(request, {}));
    if (answer.head.status == 200) {
      return UpstreamBlobHead{.size_bytes = ParseContentLength(answer.head.Field("content-length")), .offset_bytes = 0};
    }
    // A storage URL that is signed for GET is not valid for HEAD.
    if (answer.left_origin && answer.head.status / 100 == 4) return AskForOneByte(repository, digest);
    return requests_.ErrorOf(request, answer);
  }

  absl::StatusOr<UpstreamBlobHead> AskForOneByte(const std::string& repository, const Digest& digest) {
    ASSIGN_OR_RETURN(Request request, MakeRequest(RequestKind::kHeadBlob, "GET", repository, BlobPath(digest), "*/*"));
    request.http.headers.emplace_back("Range", "bytes=0-0");
    UpstreamBlobHead blob;
    bool has_head = false;
    absl::Status enough = absl::AbortedError("enough");
    const outbound::HopSink sink{.on_head = [&](const outbound::HopHead& head) {
      has_head = true;
      const auto range = ParseContentRange(head.Field("content-range"));
      blob.size_bytes = head.status == 206 ? (range.has_value() ? range->size_bytes : std::nullopt)
                                           : ParseContentLength(head.Field("content-length"));
      return enough;
    }};
    const auto answer = requests_.Send(request, sink);
    if (has_head && answer.status() == enough) return blob;
    if (!answer.ok()) return answer.status();
    return requests_.ErrorOf(request, *answer);
  }

  // What the head of a response to a request from an offset to the end means.
  absl::StatusOr<UpstreamBlobHead> BlobHeadOf(const outbound::HopHead& head, uint64_t offset_bytes) const {
    if (head.status == 200) {
      return UpstreamBlobHead{.size_bytes = ParseContentLength(head.Field("content-length")), .offset_bytes = 0};
    }
    if (head.status != 206 || offset_bytes == 0) {
      return Invalid(absl::StrCat("the answer to the request of a blob has the status ", head.status));
    }
    const auto range = ParseContentRange(head.Field("content-range"));
    if (!range.has_value() || range->first != offset_bytes ||
        (range->size_bytes.has_value() && *range->last + 1 != *range->size_bytes)) {
      return Invalid(absl::StrCat("the answer to the request of a blob from byte ", offset_bytes,
                                  " has the Content-Range ", QuotedInput(head.Field("content-range"))));
    }
    return UpstreamBlobHead{.size_bytes = range->size_bytes, .offset_bytes = offset_bytes};
  }

  absl::Status GetBlobUncounted(const std::string& repository, const Digest& digest, uint64_t offset_bytes,
                                const BlobSink& sink) {
    ASSIGN_OR_RETURN(Request request, MakeRequest(RequestKind::kGetBlob, "GET", repository, BlobPath(digest), "*/*"));
    request.http.timeout = absl::InfiniteDuration();
    if (offset_bytes > 0) request.http.headers.emplace_back("Range", absl::StrCat("bytes=", offset_bytes, "-"));
    const outbound::HopSink hop_sink{.on_head = [&](const outbound::HopHead& head) -> absl::Status {
                                       ASSIGN_OR_RETURN(const UpstreamBlobHead blob, BlobHeadOf(head, offset_bytes));
                                       return sink.on_head ? sink.on_head(blob) : absl::OkStatus();
                                     },
                                     .on_bytes = sink.on_bytes};
    ASSIGN_OR_RETURN(const Answer answer, requests_.Send(request, hop_sink));
    if (answer.head.status / 100 == 2) return absl::OkStatus();
    if (answer.head.status != 416 || offset_bytes == 0) return requests_.ErrorOf(request, answer);
    // The blob ends where the rest was to begin.
    const auto range = ParseContentRange(answer.head.Field("content-range"));
    if (!range.has_value() || range->size_bytes != offset_bytes) return requests_.ErrorOf(request, answer);
    return sink.on_head ? sink.on_head({.size_bytes = offset_bytes, .offset_bytes = offset_bytes}) : absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> ListTagsUncounted(const std::string& repository, size_t tags_max) {
    ASSIGN_OR_RETURN(Request request,
                     MakeRequest(RequestKind::kTags, "GET", repository, "/tags/list", "application/json"));
    std::vector<std::string> tags;
    std::set<std::string> seen;
    for (size_t page = 0; page < kPagesMax; ++page) {
      ASSIGN_OR_RETURN(const Document document, GetDocument(request, kListBytesMax));
      if (document.answer.head.status != 200) return requests_.ErrorOf(request, document.answer);
      const auto more = ParseTagList(document.body);
      if (!more.ok()) return Invalid(absl::StrCat("the list of tags ", more.status().message()));
      bool is_new = false;
      for (const std::string& tag : *more) {
        if (!seen.insert(tag).second) continue;
        is_new = true;
        if (tags.size() == tags_max) return tags;
        tags.push_back(tag);
      }
      const auto next = NextPage(document.answer.head, document.answer.url);
      if (!next.ok()) return Invalid(absl::StrCat("the list of tags: ", next.status().message()));
      // Servers that drop the query of a redirect return the same page for ever.
      if (!next->has_value() || !is_new) return tags;
      request.http.url = **next;
    }
    return tags;
  }

  absl::StatusOr<std::vector<Referrer>> ListReferrersUncounted(const std::string& repository, const Digest& subject) {
    ASSIGN_OR_RETURN(Request request, MakeRequest(RequestKind::kReferrers, "GET", repository,
                                                  absl::StrCat("/referrers/", subject.ToString()), kIndexType));
    std::vector<Referrer> referrers;
    std::set<Digest> seen;
    for (size_t page = 0; page < kPagesMax && referrers.size() < kReferrersMax; ++page) {
      ASSIGN_OR_RETURN(const Document document, GetDocument(request, kManifestBytesMax));
      if (LacksReferrersApi(document.answer)) return ListReferrersOfTag(repository, subject);
      if (document.answer.head.status != 200) return requests_.ErrorOf(request, document.answer);
      const auto more = ParseReferrers(document.body);
      if (!more.ok() && page == 0) return ListReferrersOfTag(repository, subject);
      if (!more.ok()) return Invalid(absl::StrCat("the list of referrers ", more.status().message()));
      const size_t before = referrers.size();
      for (const Referrer& referrer : *more) {
        if (referrers.size() < kReferrersMax && seen.insert(referrer.digest).second) referrers.push_back(referrer);
      }
      const auto next = NextPage(document.answer.head, document.answer.url);
      if (!next.ok()) return Invalid(absl::StrCat("the list of referrers: ", next.status().message()));
      if (!next->has_value() || referrers.size() == before) return referrers;
      request.http.url = **next;
    }
    return referrers;
  }

  // GHCR redirects to a web page, which may be any page with any status; others do not know the path or the digest.
  static bool LacksReferrersApi(const Answer& answer) {
    const int status = answer.head.status;
    return status == 400 || status == 404 || status == 405 || status == 406 || status == 501 ||
           IsWebPage(answer.head.Field("content-type"));
  }

  absl::StatusOr<std::vector<Referrer>> ListReferrersOfTag(const std::string& repository, const Digest& subject) {
    ASSIGN_OR_RETURN(Reference tag, ParseReference(ReferrersTag(subject)));
    const auto manifest = FetchManifest(RequestKind::kReferrers, repository, tag);
    if (FailureOf(manifest.status()) == UpstreamFailure::kNotFound) return std::vector<Referrer>();
    if (!manifest.ok()) return manifest.status();
    auto referrers = ParseReferrers(manifest->content);
    // A tag of that name that is not an index lists nothing.
    if (!referrers.ok()) return std::vector<Referrer>();
    if (referrers->size() > kReferrersMax) referrers->erase(referrers->begin() + kReferrersMax, referrers->end());
    return referrers;
  }

  RegistryClient client_;
  const std::string& name_ = client_.name();
  const std::string& base_ = client_.base();
  RegistryMetrics& metrics_ = client_.metrics();
  UpstreamRequests& requests_ = client_.requests();
};

}  // namespace

absl::StatusOr<std::unique_ptr<UpstreamRegistry>> MakeUpstreamRegistry(
    const config::v1::Upstream& entry, const Clock* clock, const std::shared_ptr<prometheus::Registry>& registry,
    const MakeHop& make_hop) {
  ASSIGN_OR_RETURN(const outbound::Url url, outbound::ParseUrl(entry.url()));
  if ((url.scheme != "https" && url.scheme != "http") || url.has_more) {
    return absl::InvalidArgumentError(absl::StrCat("the URL of ", entry.name(), " is not a URL of a registry"));
  }
  if (!entry.client_key_file().empty()) runtime::WarnIfOpenToOthers(entry.client_key_file());
  return std::make_unique<HttpUpstreamRegistry>(entry, url, clock, registry, make_hop);
}

}  // namespace entrepot::upstream
