#ifndef ENTREPOT_SERVICES_OUTBOUND_SERVER_CERTIFICATE_H_
#define ENTREPOT_SERVICES_OUTBOUND_SERVER_CERTIFICATE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace entrepot::outbound {

// The certificate that a server has shown.
struct ServerCertificate {
  // "CN = registry.example, O = Example". Untrusted.
  std::string subject;
  std::string issuer;
  // The hosts that it is for: "registry.example", "192.0.2.1". Untrusted.
  std::vector<std::string> hosts;
  absl::Time not_before;
  absl::Time not_after;
  // Why it is not trusted, as OpenSSL states it; empty if it is. Whether it is for the host that was asked is another
  // matter.
  std::string problem;
};

// Records the certificate of each TLS handshake of the connections that use it, whatever becomes of the handshake.
// Thread-safe.
class CertificateRecord : public std::enable_shared_from_this<CertificateRecord> {
 public:
  // Makes the connections of an SSL_CTX (an OpenSSL type), which must verify their peer, use the record. They keep it
  // alive. The result of the verification is not changed.
  void RecordOn(void* ssl_ctx);

  // Null: there was none.
  std::shared_ptr<const ServerCertificate> last() const;
  void Set(std::shared_ptr<const ServerCertificate> certificate);

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const ServerCertificate> last_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_SERVER_CERTIFICATE_H_
