// Linked with all of some libraries, and with what they name: shows what they need.
int main(void) {
    return 0;
}
