#include "services/runtime/certificate_reloader.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <chrono>
#include <ctime>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/asio/buffer.hpp"
#include "prometheus/family.h"
#include "services/runtime/file_contents.h"
#include "services/runtime/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {
namespace {

namespace ssl = boost::asio::ssl;

constexpr unsigned char kAlpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

struct Pair {
  std::string certificate;
  std::string private_key;
};

absl::StatusOr<Pair> ReadPair(const config::v1::TlsCertificate& files) {
  Pair pair;
  for (const auto& [path, contents] : {std::pair(&files.certificate_file(), &pair.certificate),
                                       std::pair(&files.private_key_file(), &pair.private_key)}) {
    absl::StatusOr<std::string> read = ReadFileContents(*path, kConfiguredFileBytesMax);
    if (!read.ok()) return absl::InvalidArgumentError(read.status().message());
    *contents = *std::move(read);
  }
  return pair;
}

// A hash, so that no second copy of the key is kept.
std::string Fingerprint(absl::string_view text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha256(), nullptr);
  digest.resize(size);
  return digest;
}

std::string FingerprintOf(const absl::StatusOr<Pair>& pair) {
  if (!pair.ok()) return pair.status().ToString();
  return Fingerprint(pair->certificate) + Fingerprint(pair->private_key);
}

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
  // TLS 1.3's all have forward secrecy.
  SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection keeps no buffers.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(native, SelectAlpn, nullptr);
  // Without it OpenSSL would ask the terminal for an encrypted key's password.
  SSL_CTX_set_default_passwd_cb(native, [](char*, int, int, void*) { return 0; });
  return context;
}

absl::Status Unusable(const std::string& path, absl::string_view what, const boost::system::error_code& error) {
  return absl::InvalidArgumentError(absl::StrCat(path, " ", what, ": ", error.message()));
}

absl::StatusOr<std::shared_ptr<ssl::context>> MakeContext(const config::v1::TlsCertificate& files, const Pair& pair) {
  std::shared_ptr<ssl::context> context = NewContext();
  boost::system::error_code error;
  ERR_clear_error();
  context->use_certificate_chain(boost::asio::buffer(pair.certificate), error);
  if (error) return Unusable(files.certificate_file(), "holds no usable PEM certificate", error);
  context->use_private_key(boost::asio::buffer(pair.private_key), ssl::context::pem, error);
  if (error && SSL_CTX_get0_certificate(context->native_handle()) != nullptr &&
      ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH) {
    return absl::InvalidArgumentError(
        absl::StrCat(files.private_key_file(), " is not the key of the certificate in ", files.certificate_file()));
  }
  if (error) return Unusable(files.private_key_file(), "holds no usable PEM private key (without a password)", error);
  return context;
}

double ExpirySeconds(const ssl::context& context) {
  const X509* leaf = SSL_CTX_get0_certificate(const_cast<ssl::context&>(context).native_handle());
  std::tm expiry{};
  ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &expiry);
  return static_cast<double>(timegm(&expiry));
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
  RETURN_IF_ERROR(reloader->ReloadIfChanged());
  if (poll_interval > absl::ZeroDuration()) {
    reloader->watcher_ = std::thread([raw = reloader.get(), poll_interval] { raw->Watch(poll_interval); });
  }
  return reloader;
}

CertificateReloader::CertificateReloader(config::v1::TlsCertificate files, prometheus::Gauge* expiry)
    : files_(std::move(files)), expiry_(expiry) {}

CertificateReloader::~CertificateReloader() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

std::shared_ptr<ssl::context> CertificateReloader::context() const {
  std::lock_guard lock(mutex_);
  return context_;
}

absl::Status CertificateReloader::ReloadIfChanged() {
  std::lock_guard reload_lock(reload_mutex_);
  const absl::StatusOr<Pair> pair = ReadPair(files_);
  std::string fingerprint = FingerprintOf(pair);
  if (fingerprint == seen_) return absl::OkStatus();
  seen_ = std::move(fingerprint);

  absl::StatusOr<std::shared_ptr<ssl::context>> loaded =
      pair.ok() ? MakeContext(files_, *pair) : absl::StatusOr<std::shared_ptr<ssl::context>>(pair.status());
  const bool first = context() == nullptr;
  if (!loaded.ok()) {
    // The first failure is the caller's to tell.
    if (!first)
      Log(LogLevel::kError, "new certificate refused, the old one stays", {{"error", loaded.status().message()}});
    return loaded.status();
  }
  expiry_->Set(ExpirySeconds(**loaded));
  if (!first) Log(LogLevel::kInfo, "new certificate in use", {{"file", files_.certificate_file()}});
  std::lock_guard lock(mutex_);
  context_ = *std::move(loaded);
  return absl::OkStatus();
}

void CertificateReloader::Watch(absl::Duration poll_interval) {
  const auto interval = absl::ToChronoNanoseconds(poll_interval);
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, interval, [this] { return stop_; })) {
    lock.unlock();
    ReloadIfChanged().IgnoreError();  // It is logged.
    lock.lock();
  }
}

}  // namespace entrepot::runtime
