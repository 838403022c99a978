#include "services/runtime/tls/certificate_reloader.h"

#include <openssl/ssl.h>

#include <string>
#include <utility>

#include "prometheus/family.h"
#include "services/runtime/files/secret_file.h"
#include "services/runtime/tls/certificate_pair.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {
namespace {

namespace ssl = boost::asio::ssl;

// The protocols that every context of a CertificateReloader accepts. The gateway's HTTP server (gateway/http/server) is
// the only user: gRPC servers load their certificates in runtime/grpc.
constexpr unsigned char kAlpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
               unsigned int offered_size, void*) {
  unsigned char* selected;
  if (SSL_select_next_proto(&selected, out_size, kAlpn, sizeof(kAlpn), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<ssl::context> NewContext() {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // All ciphers of TLS 1.3 have forward secrecy.
  SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection keeps no buffers.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(native, SelectAlpn, nullptr);
  return context;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CertificateReloader>> CertificateReloader::Create(
    const config::v1::TlsCertificate& files, const std::shared_ptr<prometheus::Registry>& registry,
    absl::Duration poll_interval) {
  prometheus::Gauge& expiry = prometheus::BuildGauge()
                                  .Name("entrepot_tls_certificate_expiry_timestamp_seconds")
                                  .Help("When the certificate in use expires, in seconds since 1970.")
                                  .Register(*registry)
                                  .Add({});
  std::unique_ptr<CertificateReloader> reloader(new CertificateReloader(files, &expiry));
  RETURN_IF_ERROR(reloader->watcher_.Start(poll_interval));
  return reloader;
}

CertificateReloader::CertificateReloader(config::v1::TlsCertificate files, prometheus::Gauge* expiry)
    : files_(std::move(files)),
      expiry_(expiry),
      watcher_("certificate", {files_.certificate_file(), files_.private_key_file()},
               [this](const auto& contents) { return Load(contents); }) {}

std::shared_ptr<ssl::context> CertificateReloader::context() const {
  std::lock_guard lock(mutex_);
  return context_;
}

absl::Status CertificateReloader::ReloadIfChanged() { return watcher_.ReloadIfChanged(); }

absl::Status CertificateReloader::Load(const absl::StatusOr<std::vector<std::string>>& contents) {
  if (!contents.ok()) return absl::InvalidArgumentError(contents.status().message());
  std::shared_ptr<ssl::context> context = NewContext();
  RETURN_IF_ERROR(UseCertificatePair(
      {files_.certificate_file(), files_.private_key_file(), (*contents)[0], (*contents)[1]}, context.get()));
  WarnIfOpenToOthers(files_.private_key_file());
  expiry_->Set(ExpirySeconds(*context));
  std::lock_guard lock(mutex_);
  context_ = std::move(context);
  return absl::OkStatus();
}

}  // namespace entrepot::runtime
