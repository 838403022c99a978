#ifndef ENTREPOT_GATEWAY_API_TESTING_TEST_REGISTRY_H_
#define ENTREPOT_GATEWAY_API_TESTING_TEST_REGISTRY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/shared.pb.h"
#include "gateway/api/registry_api.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "gateway/backends/testing/service_stack.h"
#include "gateway/http/server/server.h"
#include "gateway/http/testing/raw_client.h"
#include "prometheus/registry.h"
#include "services/core/digest.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::gateway::api {

using http::testing::RawResponse;

// A registry for tests: the API on a real HTTP server over the services' own classes, which keep their data in memory
// and in a temporary directory.
class TestRegistry {
 public:
  // By default the registry answers to every host, as one on an address that other machines reach.
  explicit TestRegistry(config::v1::Limits limits = {}, const RegistryAccounts& accounts = {},
                        const config::v1::PublicEndpoint& listen = {}, const RegistryUpstreams& upstreams = {});
  ~TestRegistry();

  uint16_t port() const { return server_->port(); }
  ServiceStack& services() { return services_; }
  prometheus::Registry& metrics() { return *metrics_; }

  // Adds header lines to every request from now on; "" for none.
  void AddToRequests(std::string fields) { added_fields_ = std::move(fields); }

  // Sends a request on a connection of its own. `fields` are whole lines ending in CRLF. A Content-Length is added if
  // there is a body, or if the method usually has one.
  RawResponse Call(absl::string_view method, absl::string_view target, absl::string_view body = "",
                   absl::string_view fields = "");
  // The same with the body in chunked transfer coding.
  RawResponse CallChunked(absl::string_view method, absl::string_view target, absl::string_view body,
                          absl::string_view fields = "");

  // Steps to prepare a test. They abort the test if they fail.
  std::string StartUpload(const std::string& repository);  // Returns the Location.
  Digest PushBlob(const std::string& repository, absl::string_view bytes,
                  DigestAlgorithm algorithm = DigestAlgorithm::kSha256);
  // An image without layers; `extra` are further members, after a comma.
  Digest PushImage(const std::string& repository, const std::string& reference, const std::string& extra = "");
  // The manifest that PushImage() sends.
  static std::string Image(const std::string& extra = "");

 private:
  RawResponse Receive(absl::string_view method, absl::string_view request);

  ServiceStack services_;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  std::string added_fields_;
  std::unique_ptr<BlobBackend> blobs_;
  std::unique_ptr<ManifestBackend> manifests_;
  std::unique_ptr<http::Handler> api_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<runtime::Executor> executor_;
};

// The code of the first error in a response's body; "" if the body does not have the specification's form.
std::string ErrorCode(const RawResponse& response);

inline constexpr char kImageMediaType[] = "application/vnd.oci.image.manifest.v1+json";
inline constexpr char kJsonContentType[] = "Content-Type: application/json\r\n";
inline constexpr char kImageContentType[] = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_TESTING_TEST_REGISTRY_H_
