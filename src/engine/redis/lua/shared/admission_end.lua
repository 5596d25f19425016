return admit
end
