#include "gateway/api/testing/test_registry.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "boost/json/parse.hpp"
#include "gateway/backends/local/local_blob_backend.h"
#include "gateway/backends/local/local_manifest_backend.h"
#include "services/core/digester.h"
#include "services/runtime/config/config_defaults.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kConfig[] = "{}";

RawResponse Expect(int status, RawResponse response) {
  if (response.status == status) return response;
  std::cerr << "expected " << status << ", got " << response.status << ": " << response.body << std::endl;
  std::abort();
}

bool HasBody(absl::string_view method, absl::string_view body) {
  return !body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

TestRegistry::TestRegistry(config::v1::Limits limits, const RegistryAccounts& accounts,
                           const config::v1::PublicEndpoint& listen, const RegistryUpstreams& upstreams)
    : executor_(std::make_unique<runtime::Executor>(4)) {
  runtime::FillDefaults(&limits);
  blobs_ = MakeLocalBlobBackend(
      services_.blobs(),
      {.requests = executor_.get(), .large_objects = executor_.get(), .long_calls = executor_.get()});
  manifests_ =
      MakeLocalManifestBackend(services_.catalog(), services_.maintenance(), executor_.get(), services_.deletions());
  api_ = MakeRegistryApi(blobs_.get(), manifests_.get(), listen, limits, metrics_, accounts, upstreams);
  http::Server::Options options;
  options.endpoint.set_address("127.0.0.1");
  *options.endpoint.mutable_trusted_proxies() = listen.trusted_proxies();
  options.limits = limits;
  options.threads = 2;
  server_ = http::Server::Start(options, api_.get(), metrics_).value();
}

TestRegistry::~TestRegistry() {
  server_->Drain(Deadline::Passed());
  executor_.reset();
  server_.reset();
}

RawResponse TestRegistry::Receive(absl::string_view method, absl::string_view request) {
  http::testing::RawClient client(port());
  client.Send(request);
  std::optional<RawResponse> response = client.Receive(method == "HEAD");
  return response.has_value() ? *std::move(response) : RawResponse();
}

RawResponse TestRegistry::Call(absl::string_view method, absl::string_view target, absl::string_view body,
                               absl::string_view fields) {
  std::string request = absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: localhost\r\n", added_fields_, fields);
  if (HasBody(method, body) && !absl::StrContains(fields, "Content-Length")) {
    absl::StrAppend(&request, "Content-Length: ", body.size(), "\r\n");
  }
  absl::StrAppend(&request, "\r\n", body);
  return Receive(method, request);
}

RawResponse TestRegistry::CallChunked(absl::string_view method, absl::string_view target, absl::string_view body,
                                      absl::string_view fields) {
  std::string request = absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: localhost\r\n", added_fields_, fields,
                                     "Transfer-Encoding: chunked\r\n\r\n");
  for (; !body.empty(); body.remove_prefix(std::min<size_t>(body.size(), 1000))) {
    const absl::string_view chunk = body.substr(0, 1000);
    absl::StrAppend(&request, absl::Hex(chunk.size()), "\r\n", chunk, "\r\n");
  }
  absl::StrAppend(&request, "0\r\n\r\n");
  return Receive(method, request);
}

std::string TestRegistry::StartUpload(const std::string& repository) {
  return Expect(202, Call("POST", absl::StrCat("/v2/", repository, "/blobs/uploads/"))).Field("location");
}

Digest TestRegistry::PushBlob(const std::string& repository, absl::string_view bytes, DigestAlgorithm algorithm) {
  const Digest digest = ComputeDigest(algorithm, bytes);
  Expect(201, Call("PUT", absl::StrCat(StartUpload(repository), "?digest=", digest.ToString()), bytes));
  return digest;
}

std::string TestRegistry::Image(const std::string& extra) {
  return absl::StrCat(R"({"schemaVersion":2,"mediaType":")", kImageMediaType,
                      R"(","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")",
                      ComputeDigest(DigestAlgorithm::kSha256, kConfig).ToString(), R"(","size":2},"layers":[])", extra,
                      "}");
}

Digest TestRegistry::PushImage(const std::string& repository, const std::string& reference, const std::string& extra) {
  PushBlob(repository, kConfig);
  const std::string image = Image(extra);
  Expect(201, Call("PUT", absl::StrCat("/v2/", repository, "/manifests/", reference), image, kImageContentType));
  return ComputeDigest(DigestAlgorithm::kSha256, image);
}

std::string ErrorCode(const RawResponse& response) {
  boost::json::error_code error;
  const boost::json::value body = boost::json::parse(response.body, error);
  if (error) return "";
  try {
    return body.at("errors").at(0).at("code").as_string().c_str();
  } catch (const std::exception&) {
    return "";
  }
}

}  // namespace entrepot::gateway::api
