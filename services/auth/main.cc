#include "services/auth/auth_process.h"
#include "services/runtime/service_main.h"

int main(int argc, char** argv) { return entrepot::runtime::ServiceMain(argc, argv, entrepot::auth::AuthProcess()); }
