#include "services/runtime/grpc/grpc_credentials.h"

#include <functional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "grpcpp/security/auth_metadata_processor.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::runtime {
namespace {

using ::grpc::experimental::CertificateVerifier;
using ::grpc::experimental::ExternalCertificateVerifier;
using ::grpc::experimental::HostNameCertificateVerifier;
using ::grpc::experimental::TlsChannelCredentialsOptions;
using ::grpc::experimental::TlsCustomVerificationCheckRequest;
using ::grpc::experimental::TlsServerCredentialsOptions;

using Names = std::vector<std::string>;

Names Strings(const std::vector<grpc::string_ref>& refs) {
  Names names;
  for (const grpc::string_ref& ref : refs) names.emplace_back(ref.data(), ref.size());
  return names;
}

bool HaveCommon(const Names& allowed, const Names& names) {
  return absl::c_any_of(names, [&](const std::string& name) { return absl::c_linear_search(allowed, name); });
}

std::string Shown(const Names& names) { return names.empty() ? "none" : absl::StrJoin(names, ", "); }

void LogRefusal(absl::string_view message, const Names& names) {
  const std::string shown = Shown(names);
  LogLimited(LogLevel::kWarning, message, shown, {{"names", shown}});
}

// Runs for each call, so that a refused peer gets the reason. If the handshake were refused, it would see a
// broken connection only.
class AllowedPeers : public grpc::AuthMetadataProcessor {
 public:
  explicit AllowedPeers(Names allowed) : allowed_(std::move(allowed)) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata&, grpc::AuthContext* context, OutputMetadata*, OutputMetadata*) override {
    Names names;
    for (const char* property : {GRPC_PEER_DNS_PROPERTY_NAME, GRPC_PEER_URI_PROPERTY_NAME}) {
      for (std::string& name : Strings(context->FindPropertyValues(property))) names.push_back(std::move(name));
    }
    if (HaveCommon(allowed_, names)) return grpc::Status::OK;
    LogRefusal("peer refused: none of its certificate's names is in grpc.tls.peers", names);
    return {grpc::StatusCode::PERMISSION_DENIED,
            absl::StrCat("this server serves none of the certificate's names: ", Shown(names))};
  }

 private:
  const Names allowed_;
};

class ExpectedServer : public ExternalCertificateVerifier {
 public:
  explicit ExpectedServer(Names expected) : expected_(std::move(expected)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* status) override {
    Names names = Strings(request->dns_names());
    for (std::string& name : Strings(request->uri_names())) names.push_back(std::move(name));
    if (!HaveCommon(expected_, names)) {
      LogRefusal("server refused: none of its certificate's names is in tls.peers", names);
      *status = {grpc::StatusCode::UNAUTHENTICATED,
                 absl::StrCat("the server's certificate is for ", Shown(names), ", not for ", Shown(expected_))};
    }
    return true;
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  const Names expected_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakePeerServerCredentials(const PeerCertificates& certificates, Names peers) {
  TlsServerCredentialsOptions options(certificates.provider());
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::experimental::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<AllowedPeers>(std::move(peers)));
  return credentials;
}

std::shared_ptr<grpc::ChannelCredentials> MakePeerChannelCredentials(const PeerCertificates& certificates,
                                                                     Names peers) {
  TlsChannelCredentialsOptions options;
  options.set_certificate_provider(certificates.provider());
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  if (peers.empty()) {
    options.set_certificate_verifier(std::make_shared<HostNameCertificateVerifier>());
  } else {
    options.set_certificate_verifier(ExternalCertificateVerifier::Create<ExpectedServer>(std::move(peers)));
    // Else gRPC would compare the target, which is the host of each call, with the certificate.
    options.set_check_call_host(false);
  }
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace entrepot::runtime
