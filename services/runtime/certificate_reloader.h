#ifndef ENTREPOT_SERVICES_RUNTIME_CERTIFICATE_RELOADER_H_
#define ENTREPOT_SERVICES_RUNTIME_CERTIFICATE_RELOADER_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "boost/asio/ssl/context.hpp"
#include "entrepot/config/v1/shared.pb.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"

namespace entrepot::runtime {

// A server's certificate and key, read again when the files change (Kubernetes replaces a symbolic link, ACME clients
// rename files). Connections keep the context that they began with; new ones take context().
//
// Gauge: entrepot_tls_certificate_expiry_timestamp_seconds, of the leaf in use. Safe from any thread.
class CertificateReloader {
 public:
  // Loads the pair and looks at the files every `poll_interval`; with zero only ReloadIfChanged() does.
  // kInvalidArgument: a file cannot be read, is no PEM, or the two do not belong together; the message names it.
  static absl::StatusOr<std::unique_ptr<CertificateReloader>> Create(
      const config::v1::TlsCertificate& files, const std::shared_ptr<prometheus::Registry>& registry,
      absl::Duration poll_interval = absl::Seconds(1));

  ~CertificateReloader();

  CertificateReloader(const CertificateReloader&) = delete;
  CertificateReloader& operator=(const CertificateReloader&) = delete;

  // TLS 1.2 and 1.3, ciphers with forward secrecy, ALPN "http/1.1". Never null, never changed once it is handed out.
  std::shared_ptr<boost::asio::ssl::context> context() const;

  // What happens every poll_interval: where the files' contents differ from those seen last, loads them. A pair that
  // cannot be used is logged once and leaves the old one in place; the error is returned. OK where nothing changed.
  absl::Status ReloadIfChanged();

 private:
  CertificateReloader(config::v1::TlsCertificate files, prometheus::Gauge* expiry);
  void Watch(absl::Duration poll_interval);

  const config::v1::TlsCertificate files_;
  prometheus::Gauge* const expiry_;

  std::mutex reload_mutex_;
  std::string seen_;  // Fingerprint of the contents seen last, good or bad; guarded by reload_mutex_.

  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;                                   // Guarded by mutex_.
  std::shared_ptr<boost::asio::ssl::context> context_;  // Guarded by mutex_.
  std::thread watcher_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CERTIFICATE_RELOADER_H_
